import type { Clock } from '../core/ports.ts';
import { type Credentials, tokenHeader } from './credentials.ts';
import { ConnectionError, CredentialsError } from './gateway-error.ts';
import { type Login, logIn, type Token } from './iam.ts';

/** How long before its end a token is replaced, at most: a tenth of its life, if that is less. */
const marginMs = 5 * 60_000;

/** A token that replaced a refused one and is refused itself is not the cause. It is replaced again only after this time. */
const doubtMs = 60_000;

/** A token in use. */
interface Held {
  readonly value: string;
  readonly sinceMs: number;
  readonly renewAtMs: number;
  /** The gateway took it, or it is the first and nothing speaks against it. */
  trusted: boolean;
}

/** A login under way, and how many callers wait for it. */
interface Flight {
  readonly held: Promise<Held>;
  readonly stop: AbortController;
  waiting: number;
}

export interface TokenDeps {
  readonly clock: Pick<Clock, 'now'>;
  /** Fetches a token; `logIn` unless a test says otherwise. */
  readonly fetchToken?: typeof logIn;
}

/**
 * Credentials that log in with a password when a token is needed and keep the token until shortly before its end.
 *
 * Callers at the same time share one login. A login that the identity service refuses is the last: it is remembered,
 * and every later call rejects at once, since some failures in a row lock the account.
 */
export class TokenCredentials implements Credentials {
  readonly #login: Login;
  readonly #clock: Pick<Clock, 'now'>;
  readonly #fetchToken: typeof logIn;
  #held: Held | null = null;
  #flight: Flight | null = null;
  #refusal: CredentialsError | null = null;
  #replacesRefused = false;

  constructor(login: Login, { clock, fetchToken = logIn }: TokenDeps) {
    this.#login = login;
    this.#clock = clock;
    this.#fetchToken = fetchToken;
  }

  async header(signal: AbortSignal): Promise<Record<string, string>> {
    if (this.#refusal !== null) throw this.#refusal;
    const held = this.#held !== null && this.#clock.now() < this.#held.renewAtMs ? this.#held : await this.#share(signal);
    return { [tokenHeader]: held.value };
  }

  refused(used: Readonly<Record<string, string>>): boolean {
    const held = this.#held;
    if (held === null || held.value !== used[tokenHeader]) return true;
    if (!held.trusted && this.#clock.now() < held.sinceMs + doubtMs) return false;
    this.#held = null;
    this.#replacesRefused = true;
    return true;
  }

  accepted(used: Readonly<Record<string, string>>): void {
    const held = this.#held;
    if (held !== null && held.value === used[tokenHeader]) held.trusted = true;
  }

  /** Waits for the login under way, or begins one. It is stopped when nobody waits for it any longer. */
  async #share(signal: AbortSignal): Promise<Held> {
    if (signal.aborted) throw stopped();
    this.#flight ??= this.#begin();
    const flight = this.#flight;
    flight.waiting += 1;
    const { promise: aborted, reject } = Promise.withResolvers<never>();
    const leave = (): void => reject(stopped());
    signal.addEventListener('abort', leave);
    try {
      return await Promise.race([flight.held, aborted]);
    } finally {
      signal.removeEventListener('abort', leave);
      flight.waiting -= 1;
      if (flight.waiting === 0 && this.#flight === flight) {
        this.#flight = null;
        flight.stop.abort();
      }
    }
  }

  #begin(): Flight {
    const stop = new AbortController();
    const held = this.#fetch(stop.signal);
    held.catch(() => {}); // whoever waits for it sees the error; nobody may be left to
    return { held, stop, waiting: 0 };
  }

  async #fetch(signal: AbortSignal): Promise<Held> {
    try {
      const token = await this.#fetchToken(this.#login, signal, this.#clock.now());
      this.#held = this.#hold(token);
      return this.#held;
    } catch (error) {
      if (error instanceof CredentialsError && error.code === 'CREDENTIALS_REFUSED') this.#refusal = error;
      throw error;
    }
  }

  #hold({ value, livesMs }: Token): Held {
    const sinceMs = this.#clock.now();
    // A life that is over at its beginning means that clocks differ: the token is kept until the gateway refuses it.
    const renewAtMs = livesMs > 0 ? sinceMs + livesMs - Math.min(marginMs, livesMs / 10) : Number.POSITIVE_INFINITY;
    const trusted = !this.#replacesRefused;
    this.#replacesRefused = false;
    return { value: value.reveal(), sinceMs, renewAtMs, trusted };
  }
}

function stopped(): ConnectionError {
  return new ConnectionError('NOT_SENT', 'stopped before anything was sent');
}
