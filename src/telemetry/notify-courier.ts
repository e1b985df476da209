import { createHmac } from 'node:crypto';
import { Agent, EnvHttpProxyAgent, request } from 'undici';
import type { Clock } from '../core/ports.ts';
import type { Proxies } from '../core/proxies.ts';
import { type Message, wholeMessage } from './notify-document.ts';
import { slackMessage } from './notify-slack.ts';

/** Where messages go. Its address is a secret: who has it can write there. */
export interface Receiver {
  readonly form: 'json' | 'slack';
  /** Returns the address there is now. Throws if there is none. */
  readonly address: () => URL;
  /** Returns what messages are signed with now; `null`: they are not. Throws if it cannot be read. */
  readonly secret: () => string | null;
}

export interface CourierDeps {
  readonly receiver: Receiver;
  /** `null`: the receiver is asked itself. */
  readonly proxies: Proxies | null;
  readonly clock: Pick<Clock, 'now' | 'monotonic' | 'sleep'>;
  /** Called when a message is given up, and for tries that fail once a minute at most. `dropped`: messages given up since the last call. */
  readonly onFailed: (told: { readonly to: string; readonly reason: string; readonly dropped: number }) => void;
}

/** So many messages wait for a receiver that does not answer; an older one goes for a newer. */
const mostWaiting = 20;
/** How long one try may take, in milliseconds. */
const tryMs = 10_000;
/** After a failed try is waited so long, in milliseconds; after the last one the message is given up. */
const delaysMs = [1000, 4000, 16_000, 64_000, 256_000] as const;
/** A receiver's own wish to be left alone is kept up to this, in milliseconds. */
const longestWishMs = 600_000;
/** Failing tries are told so often, in milliseconds. */
const tellEveryMs = 60_000;
/** How long the last tries of all messages may take when the daemon stops, in milliseconds. */
const lastTryMs = 2000;

/** What came of one try. */
type Try =
  | { readonly kind: 'taken' }
  | { readonly kind: 'failed'; readonly reason: string; readonly isFinal: boolean; readonly wishMs: number };

/** Brings messages to one receiver, one after another. Nobody waits for it. */
export class Courier {
  readonly #deps: CourierDeps;
  readonly #agent: Agent | EnvHttpProxyAgent;
  readonly #stopping = new AbortController();
  readonly #waiting: Message[] = [];
  #walk: Promise<void> | null = null;
  /** Messages given up that the receiver has not been told of. */
  #undelivered = 0;
  #dropped = 0;
  #toldAtMs = Number.NEGATIVE_INFINITY;

  constructor(deps: CourierDeps) {
    this.#deps = deps;
    const options = { connections: 1, connect: { timeout: tryMs } };
    this.#agent = deps.proxies === null ? new Agent(options) : new EnvHttpProxyAgent({ ...options, ...deps.proxies });
  }

  /** Takes a message to deliver; returns at once. */
  send(message: Message): void {
    this.#waiting.push(message);
    if (this.#waiting.length > mostWaiting) {
      this.#waiting.splice(1, 1); // the first is on its way
      this.#giveUp('the receiver is too slow');
    }
    this.#walk ??= this.#deliver().finally(() => {
      this.#walk = null;
    });
  }

  /** Tries what waits once more and ends, after two seconds at the latest. */
  async close(): Promise<void> {
    const last = AbortSignal.timeout(lastTryMs);
    this.#stopping.abort();
    const over = new Promise<void>((resolve) => last.addEventListener('abort', () => resolve(), { once: true }));
    await Promise.race([this.#walk ?? Promise.resolve(), over]);
    await this.#agent.destroy();
    await this.#walk;
  }

  async #deliver(): Promise<void> {
    for (let message = this.#waiting[0]; message; message = this.#waiting[0]) {
      const body = this.#bodyOf(message);
      const missed = this.#undelivered;
      if (await this.#tryAll(body)) this.#undelivered -= missed;
      this.#waiting.shift();
    }
  }

  /** Resolves to whether the message was taken. */
  async #tryAll(body: string): Promise<boolean> {
    const { signal } = this.#stopping;
    for (let tries = 0; ; tries += 1) {
      const tried = await this.#try(body);
      if (tried.kind === 'taken') return true;
      const delayMs = delaysMs[tries];
      if (tried.isFinal || delayMs === undefined || signal.aborted) {
        this.#giveUp(tried.reason);
        return false;
      }
      this.#tell(tried.reason);
      await this.#deps.clock.sleep(Math.max(delayMs, tried.wishMs), signal);
    }
  }

  async #try(body: string): Promise<Try> {
    const { receiver, clock } = this.#deps;
    try {
      const url = receiver.address();
      const secret = receiver.secret();
      const {
        statusCode,
        headers,
        body: answer,
      } = await request(addressOf(url), {
        method: 'POST',
        dispatcher: this.#agent,
        headers: {
          'content-type': 'application/json',
          'user-agent': 'edict',
          ...(url.username !== '' && { authorization: basic(url) }),
          ...(secret !== null && { 'x-edict-signature': `sha256=${createHmac('sha256', secret).update(body).digest('hex')}` }),
        },
        body,
        signal: AbortSignal.timeout(tryMs),
      });
      answer.on('error', () => {}).destroy();
      if (statusCode >= 200 && statusCode <= 299) return { kind: 'taken' };
      const isFinal = statusCode < 500 && ![408, 425, 429].includes(statusCode);
      return { kind: 'failed', reason: `answered ${statusCode}`, isFinal, wishMs: wishMs(headers['retry-after'], clock.now()) };
    } catch (error) {
      return { kind: 'failed', reason: reasonOf(error), isFinal: false, wishMs: 0 };
    }
  }

  #bodyOf(message: Message): string {
    const whole = wholeMessage(message, this.#undelivered);
    return JSON.stringify(this.#deps.receiver.form === 'slack' ? slackMessage(whole) : whole);
  }

  #giveUp(reason: string): void {
    this.#undelivered += 1;
    this.#dropped += 1;
    this.#toldAtMs = Number.NEGATIVE_INFINITY;
    this.#tell(reason);
  }

  #tell(reason: string): void {
    const { clock, receiver, onFailed } = this.#deps;
    if (clock.monotonic() < this.#toldAtMs + tellEveryMs) return;
    this.#toldAtMs = clock.monotonic();
    const dropped = this.#dropped;
    this.#dropped = 0;
    onFailed({ to: hostOf(receiver), reason, dropped });
  }
}

/** Returns what of an address is no secret. */
export function hostOf({ address, form }: Pick<Receiver, 'address' | 'form'>): string {
  try {
    return address().host;
  } catch {
    return form;
  }
}

function addressOf(url: URL): URL {
  const bare = new URL(url);
  bare.username = '';
  bare.password = '';
  return bare;
}

function basic({ username, password }: URL): string {
  return `Basic ${Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`).toString('base64')}`;
}

/** Returns how long an answer asks to be left alone, in milliseconds: in seconds, or until a date. */
function wishMs(header: string | string[] | undefined, nowMs: number): number {
  const text = String(header ?? '');
  const ms = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - nowMs;
  return Number.isNaN(ms) ? 0 : Math.min(longestWishMs, Math.max(0, ms));
}

/** Only the name of an error: its message may hold the address. */
function reasonOf(error: unknown): string {
  const [first] = error instanceof AggregateError ? (error.errors as unknown[]) : [];
  const { code, name } = (first ?? error) as { readonly code?: unknown; readonly name?: unknown };
  if (name === 'TimeoutError') return `no answer within ${tryMs / 1000} s`;
  return `no answer: ${String(code ?? name)}`;
}
