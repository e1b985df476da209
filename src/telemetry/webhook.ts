import { createHmac, randomUUID } from 'node:crypto';
import { Agent, EnvHttpProxyAgent, request } from 'undici';
import type { components } from '../../generated/edict-notification.d.ts';
import type { Clock } from '../model/clock.ts';
import type { ProxySettings } from '../model/env.ts';
import type { Emit } from '../model/events.ts';
import type { GatewayIdentity } from '../model/gateway.ts';
import { toJson } from '../model/visible.ts';
import type { ApproveCommand } from '../render/command-line.ts';
import type { WebhookNotice } from './webhook-documents.ts';
import { Notices } from './webhook-notices.ts';

/*
 * Posts each notice as one signed JSON document, as https://www.standardwebhooks.com describes it. The controller never waits for the receiver:
 * a slow or broken one costs at most `maxQueued` notifications of memory and two seconds when the daemon stops.
 */
type Notification = components['schemas']['Notification'];
/** A queued notification. `undelivered` is added when it is sent. */
type Queued = Omit<Notification, 'undelivered'>;

/** Where notifications go. The URL is a secret too, since it may be all that is needed to post there. */
export interface WebhookSettings {
  /** Reads the latest URL and key, if they are in files; never rejects. Default: they do not change. */
  readonly refresh?: () => Promise<void>;
  /** Returns the current URL. Throws if it is not set. */
  readonly url: () => URL;
  /** Returns the current signing key. Throws if it is not set. */
  readonly key: () => Buffer;
  /** `null` connects to the receiver directly. */
  readonly proxies: ProxySettings | null;
}

export interface WebhookDeps {
  readonly file: string;
  readonly emulated: boolean;
  readonly approveCommand: ApproveCommand;
  readonly clock: Pick<Clock, 'now' | 'monotonicMs' | 'sleep'>;
  /** Returns a number from 0 to 1. */
  readonly random: () => number;
  /** Receives `webhook:failed` for each dropped notification, and at most once a minute for failed attempts. */
  readonly emit: Emit;
}

/** Maximum queue length. Beyond it the oldest waiting notification is dropped. */
const maxQueued = 100;
/** The time limit of one attempt, in milliseconds. */
const attemptMs = 10_000;
/** The delays before the retries, in milliseconds, reduced by up to half at random; after the last retry the notification is dropped. */
const retryDelaysMs = [1000, 4000, 16_000, 64_000, 256_000] as const;
/** Upper bound for a `Retry-After`, in milliseconds. */
const maxRetryAfterMs = 600_000;
/** Minimum interval between reports of failed attempts, in milliseconds. */
const reportEveryMs = 60_000;
/** The time limit of the last attempts when the daemon stops, in milliseconds. */
const closeMs = 2000;

/** The result of one attempt. */
type Result =
  | { readonly kind: 'delivered' }
  | { readonly kind: 'failed'; readonly reason: string; readonly isFinal: boolean; readonly retryAfterMs: number };

/** Sends the notices of one file to one webhook. */
export class Webhook {
  readonly #settings: WebhookSettings;
  readonly #deps: WebhookDeps;
  readonly #notices: Notices;
  readonly #agent: Agent | EnvHttpProxyAgent;
  readonly #stopping = new AbortController();
  /** The first entry is being sent. */
  readonly #queue: Queued[] = [];
  #delivery: Promise<void> | null = null;
  #gateway: GatewayIdentity | null = null;
  /** Notifications dropped since the last delivery. */
  #undelivered = 0;
  #reportedAtMs = Number.NEGATIVE_INFINITY;

  constructor(settings: WebhookSettings, deps: WebhookDeps) {
    this.#settings = settings;
    this.#deps = deps;
    this.#notices = new Notices(deps.approveCommand, deps.clock.now);
    const options = { connections: 1, connect: { timeout: attemptMs } };
    this.#agent = settings.proxies === null ? new Agent(options) : new EnvHttpProxyAgent({ ...options, ...settings.proxies });
  }

  /** Queues the notices of an event; never waits. */
  readonly emit: Emit = (event) => {
    if (this.#stopping.signal.aborted) return;
    if (event.type === 'file:loaded') this.#gateway = event.desired.gateway;
    for (const notice of this.#notices.of(event)) this.#send(notice);
  };

  /** Makes one more attempt for each queued notification, and closes within two seconds. */
  async close(): Promise<void> {
    for (const notice of this.#notices.rest()) this.#send(notice);
    this.#stopping.abort();
    const timeout = AbortSignal.timeout(closeMs);
    const timedOut = new Promise<void>((resolve) => timeout.addEventListener('abort', () => resolve(), { once: true }));
    await Promise.race([this.#delivery ?? Promise.resolve(), timedOut]);
    this.#drop('the daemon stops', this.#queue.splice(1).length);
    await this.#agent.destroy();
    await this.#delivery;
  }

  #send(notice: WebhookNotice): void {
    const { file, emulated, clock } = this.#deps;
    const gateway = this.#gateway && { endpoint: this.#gateway.endpoint, project: this.#gateway.project, instance: this.#gateway.instance };
    this.#queue.push({ format: 1, id: randomUUID(), at: new Date(clock.now()).toISOString(), file, emulated, gateway, notice });
    if (this.#queue.length > maxQueued) this.#drop('the receiver is too slow', this.#queue.splice(1, 1).length);
    this.#delivery ??= this.#deliver().finally(() => {
      this.#delivery = null;
    });
  }

  async #deliver(): Promise<void> {
    for (let next = this.#queue[0]; next; next = this.#queue[0]) {
      const missed = this.#undelivered;
      const { notice, ...origin } = next;
      const body: Notification = { ...origin, undelivered: missed, notice };
      if (await this.#isDelivered(next.id, toJson(body))) this.#undelivered -= missed;
      this.#queue.shift();
    }
  }

  async #isDelivered(id: string, body: string): Promise<boolean> {
    const { clock, random } = this.#deps;
    const { signal } = this.#stopping;
    for (let attempts = 0; ; attempts += 1) {
      const result = await this.#attempt(id, body);
      if (result.kind === 'delivered') return true;
      const delayMs = retryDelaysMs[attempts];
      if (result.isFinal || delayMs === undefined || signal.aborted) {
        this.#drop(result.reason, 1);
        return false;
      }
      this.#report(result.reason);
      await clock.sleep(Math.max(result.retryAfterMs, Math.round(delayMs * (1 - random() / 2))), signal);
    }
  }

  async #attempt(id: string, body: string): Promise<Result> {
    const { clock } = this.#deps;
    try {
      await this.#settings.refresh?.();
      const url = this.#settings.url();
      const key = this.#settings.key();
      const timestamp = String(Math.floor(clock.now() / 1000));
      const response = await request(withoutUser(url), {
        method: 'POST',
        dispatcher: this.#agent,
        headers: {
          'content-type': 'application/json',
          'user-agent': 'edict',
          ...(url.username !== '' && { authorization: basicAuth(url) }),
          'webhook-id': id,
          'webhook-timestamp': timestamp,
          'webhook-signature': signatureOf(key, { id, timestamp, body }),
        },
        body,
        signal: AbortSignal.timeout(attemptMs),
      });
      // Only the status matters, and the body may be endless.
      response.body.on('error', () => {}).destroy();
      const { statusCode, headers } = response;
      if (statusCode >= 200 && statusCode <= 299) return { kind: 'delivered' };
      const isFinal = statusCode < 500 && ![408, 425, 429].includes(statusCode);
      const retryAfterMs = parseRetryAfterMs(headers['retry-after'], clock.now());
      return { kind: 'failed', reason: `answered ${statusCode}`, isFinal, retryAfterMs };
    } catch (error) {
      return { kind: 'failed', reason: reasonOf(error), isFinal: false, retryAfterMs: 0 };
    }
  }

  #drop(reason: string, droppedCount: number): void {
    if (droppedCount === 0) return;
    this.#undelivered += droppedCount;
    this.#deps.emit({ type: 'webhook:failed', to: this.#host(), reason, droppedCount });
    this.#reportedAtMs = this.#deps.clock.monotonicMs();
  }

  #report(reason: string): void {
    const nowMs = this.#deps.clock.monotonicMs();
    if (nowMs < this.#reportedAtMs + reportEveryMs) return;
    this.#deps.emit({ type: 'webhook:failed', to: this.#host(), reason, droppedCount: 0 });
    this.#reportedAtMs = nowMs;
  }

  /** Returns the host, the only part of the URL that is not secret. */
  #host(): string {
    try {
      return this.#settings.url().host;
    } catch {
      return '';
    }
  }
}

export interface SignedMessage {
  readonly id: string;
  /** In seconds since 1970. */
  readonly timestamp: string;
  readonly body: string;
}

/** Returns the header `webhook-signature`. */
export function signatureOf(key: Buffer, { id, timestamp, body }: SignedMessage): string {
  return `v1,${createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64')}`;
}

function withoutUser(url: URL): URL {
  const bare = new URL(url);
  bare.username = '';
  bare.password = '';
  return bare;
}

function basicAuth({ username, password }: URL): string {
  return `Basic ${Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`).toString('base64')}`;
}

/** Returns the delay in a `Retry-After`, in milliseconds. The header is a number of seconds or a date. */
function parseRetryAfterMs(header: string | string[] | undefined, nowMs: number): number {
  const text = String(header ?? '');
  const ms = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - nowMs;
  return Number.isNaN(ms) ? 0 : Math.min(maxRetryAfterMs, Math.max(0, ms));
}

/** Returns the code or name of an error, never its message, which may contain the URL. */
function reasonOf(error: unknown): string {
  const [first] = error instanceof AggregateError ? (error.errors as unknown[]) : [];
  const { code, name } = (first ?? error) as { readonly code?: unknown; readonly name?: unknown };
  if (name === 'TimeoutError') return `no answer within ${attemptMs / 1000} s`;
  return `no answer: ${String(code ?? name)}`;
}
