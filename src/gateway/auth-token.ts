import type { Admit, Clock } from '../core/ports.ts';
import { admitted } from './admitted.ts';
import { type Credentials, type Proof, tokenProof } from './credentials.ts';
import { CredentialsError, stopped } from './gateway-error.ts';
import { type Login, logIn, type Token } from './iam.ts';

/** How long before its end a token is replaced, at most: a tenth of its life, if that is less. */
const marginMs = 5 * 60_000;

/** A token that replaced a refused one and is refused itself is not the cause. It is replaced again only after this time. */
const doubtMs = 60_000;

/** A token in use. */
interface Held {
  readonly proof: Proof;
  readonly sinceMs: number;
  readonly renewAtMs: number;
  /** The gateway took it, or it is the first and nothing speaks against it. */
  trusted: boolean;
  /** The gateway refused it, though it is new. */
  refused: boolean;
}

/** A login under way, and how many callers wait for it. */
interface Flight {
  readonly held: Promise<Held>;
  readonly stop: AbortController;
  waiting: number;
}

export interface TokenDeps {
  readonly clock: Pick<Clock, 'now' | 'monotonic'>;
  /** Asked before each login. */
  readonly admit?: Admit;
  /** Hears of each new token. */
  readonly onToken?: () => void;
  /** Fetches a token; `logIn` unless a test says otherwise. */
  readonly fetchToken?: typeof logIn;
}

/**
 * Credentials that log in with a password when a token is needed and keep the token until shortly before its end.
 *
 * Callers at the same time share one login. A login that the identity service refuses is the last with that password: it is
 * remembered, and every later call rejects at once, since some failures in a row lock the account.
 */
export class TokenCredentials implements Credentials {
  readonly #login: Login;
  readonly #clock: TokenDeps['clock'];
  readonly #admit: Admit | undefined;
  readonly #onToken: () => void;
  readonly #fetchToken: typeof logIn;
  #held: Held | null = null;
  #flight: Flight | null = null;
  #refusal: { readonly error: CredentialsError; readonly password: string } | null = null;
  #replacesRefused = false;

  constructor(login: Login, { clock, admit, onToken = () => {}, fetchToken = logIn }: TokenDeps) {
    this.#login = login;
    this.#admit = admit;
    this.#clock = clock;
    this.#onToken = onToken;
    this.#fetchToken = fetchToken;
  }

  async proof(signal: AbortSignal): Promise<Proof> {
    if (this.#refusal !== null && !this.changed()) throw this.#refusal.error;
    if (this.#held?.refused && this.#isDoubtful(this.#held)) throw refusedError();
    if (this.#held?.refused) this.#held = null;
    const held = this.#held !== null && this.#clock.monotonic() < this.#held.renewAtMs ? this.#held : await this.#share(signal);
    return held.proof;
  }

  tried(used: Proof, result: 'taken' | 'refused' | 'untold'): boolean {
    const held = this.#held;
    const isHeld = held !== null && held.proof === used;
    if (result === 'taken' && isHeld) held.trusted = true;
    if (result !== 'refused') return false;
    if (!isHeld) return true;
    if (this.#isDoubtful(held)) {
      held.refused = true;
      return false;
    }
    this.#held = null;
    this.#replacesRefused = true;
    return true;
  }

  changed(): boolean {
    if (this.#refusal !== null) return this.#login.password().reveal() !== this.#refusal.password;
    return !this.#held?.refused || !this.#isDoubtful(this.#held);
  }

  forgive(): void {
    this.#refusal = null;
    this.#held = null;
    this.#replacesRefused = false;
  }

  #isDoubtful({ trusted, sinceMs }: Held): boolean {
    return !trusted && this.#clock.monotonic() < sinceMs + doubtMs;
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
      const token = await admitted(this.#admit, signal, () => this.#fetchToken(this.#login, signal, this.#clock.now()));
      this.#held = this.#hold(token);
      this.#refusal = null;
      this.#onToken();
      return this.#held;
    } catch (error) {
      if (error instanceof CredentialsError && error.code === 'CREDENTIALS_REFUSED') {
        this.#refusal = { error, password: this.#login.password().reveal() };
      }
      throw error;
    }
  }

  #hold({ value, livesMs }: Token): Held {
    const sinceMs = this.#clock.monotonic();
    // A life that is over at its beginning means that clocks differ: the token is kept until the gateway refuses it.
    const renewAtMs = livesMs > 0 ? sinceMs + livesMs - Math.min(marginMs, livesMs / 10) : Number.POSITIVE_INFINITY;
    const trusted = !this.#replacesRefused;
    this.#replacesRefused = false;
    return { proof: tokenProof(value.reveal()), sinceMs, renewAtMs, trusted, refused: false };
  }
}

function refusedError(): CredentialsError {
  return new CredentialsError('the gateway refused a new token of this user', { code: 'CREDENTIALS_REFUSED' });
}
