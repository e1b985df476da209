import type { AcquireRequestSlot, Clock } from '../../model/ports.ts';
import { CredentialsError, notSentError } from '../errors.ts';
import { withRateLimit } from '../request-middleware.ts';
import { type Credentials, type RequestAuth, tokenAuth } from './credentials.ts';
import { type IssuedToken, type LoginRequest, logIn } from './iam-client.ts';

/** How long before its end a token is replaced, at most: a tenth of its life, if that is less. */
const renewMarginMs = 5 * 60_000;

/** A token that replaced a refused one and is refused itself is not the cause. It is replaced again only after this time. */
const replaceAgainMs = 60_000;

/** A token in use. */
interface CachedToken {
  readonly auth: RequestAuth;
  readonly sinceMs: number;
  readonly renewAtMs: number;
  /** The gateway took it, or it is the first and nothing speaks against it. */
  isTrusted: boolean;
  /** The gateway refused it, though it is new. */
  isRejected: boolean;
}

/** A login under way, and how many callers wait for it. */
interface PendingLogin {
  readonly token: Promise<CachedToken>;
  readonly abort: AbortController;
  waiterCount: number;
}

export interface TokenCredentialsDeps {
  readonly clock: Pick<Clock, 'now' | 'monotonicMs'>;
  /** Asked before each login. */
  readonly acquire?: AcquireRequestSlot;
  /** Hears of each new token. */
  readonly onTokenIssued?: () => void;
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
  readonly #login: LoginRequest;
  readonly #clock: TokenCredentialsDeps['clock'];
  readonly #acquire: AcquireRequestSlot | undefined;
  readonly #onTokenIssued: () => void;
  readonly #fetchToken: typeof logIn;
  #token: CachedToken | null = null;
  #pendingLogin: PendingLogin | null = null;
  #rejection: { readonly error: CredentialsError; readonly password: string } | null = null;
  #replacesRejected = false;

  constructor(login: LoginRequest, { clock, acquire, onTokenIssued = () => {}, fetchToken = logIn }: TokenCredentialsDeps) {
    this.#login = login;
    this.#acquire = acquire;
    this.#clock = clock;
    this.#onTokenIssued = onTokenIssued;
    this.#fetchToken = fetchToken;
  }

  async authenticate(signal: AbortSignal): Promise<RequestAuth> {
    if (this.#rejection !== null && !this.hasChanged()) throw this.#rejection.error;
    if (this.#token?.isRejected && this.#isUnproven(this.#token)) throw rejectedError();
    if (this.#token?.isRejected) this.#token = null;
    const held = this.#token !== null && this.#clock.monotonicMs() < this.#token.renewAtMs ? this.#token : await this.#joinLogin(signal);
    return held.auth;
  }

  report(used: RequestAuth, result: 'taken' | 'refused' | 'untold'): boolean {
    const held = this.#token;
    const isHeld = held !== null && held.auth === used;
    if (result === 'taken' && isHeld) held.isTrusted = true;
    if (result !== 'refused') return false;
    if (!isHeld) return true;
    if (this.#isUnproven(held)) {
      held.isRejected = true;
      return false;
    }
    this.#token = null;
    this.#replacesRejected = true;
    return true;
  }

  hasChanged(): boolean {
    if (this.#rejection !== null) return this.#login.password().reveal() !== this.#rejection.password;
    return !this.#token?.isRejected || !this.#isUnproven(this.#token);
  }

  reset(): void {
    this.#rejection = null;
    this.#token = null;
    this.#replacesRejected = false;
  }

  #isUnproven({ isTrusted, sinceMs }: CachedToken): boolean {
    return !isTrusted && this.#clock.monotonicMs() < sinceMs + replaceAgainMs;
  }

  /** Waits for the login under way, or begins one. It is stopped when nobody waits for it any longer. */
  async #joinLogin(signal: AbortSignal): Promise<CachedToken> {
    if (signal.aborted) throw notSentError();
    this.#pendingLogin ??= this.#startLogin();
    const flight = this.#pendingLogin;
    flight.waiterCount += 1;
    const { promise: aborted, reject } = Promise.withResolvers<never>();
    const leave = (): void => reject(notSentError());
    signal.addEventListener('abort', leave);
    try {
      return await Promise.race([flight.token, aborted]);
    } finally {
      signal.removeEventListener('abort', leave);
      flight.waiterCount -= 1;
      if (flight.waiterCount === 0 && this.#pendingLogin === flight) {
        this.#pendingLogin = null;
        flight.abort.abort();
      }
    }
  }

  #startLogin(): PendingLogin {
    const abort = new AbortController();
    const token = this.#logIn(abort.signal);
    token.catch(() => {}); // whoever waits for it sees the error; nobody may be left to
    return { token, abort, waiterCount: 0 };
  }

  async #logIn(signal: AbortSignal): Promise<CachedToken> {
    try {
      const token = await withRateLimit(this.#acquire, signal, () => this.#fetchToken(this.#login, signal, this.#clock.now()));
      this.#token = this.#cache(token);
      this.#rejection = null;
      this.#onTokenIssued();
      return this.#token;
    } catch (error) {
      if (error instanceof CredentialsError && error.code === 'CREDENTIALS_REJECTED') {
        this.#rejection = { error, password: this.#login.password().reveal() };
      }
      throw error;
    }
  }

  #cache({ value, lifetimeMs }: IssuedToken): CachedToken {
    const sinceMs = this.#clock.monotonicMs();
    // A life that is over at its beginning means that clocks differ: the token is kept until the gateway refuses it.
    const renewAtMs = lifetimeMs > 0 ? sinceMs + lifetimeMs - Math.min(renewMarginMs, lifetimeMs / 10) : Number.POSITIVE_INFINITY;
    const isTrusted = !this.#replacesRejected;
    this.#replacesRejected = false;
    return { auth: tokenAuth(value.reveal()), sinceMs, renewAtMs, isTrusted, isRejected: false };
  }
}

function rejectedError(): CredentialsError {
  return new CredentialsError('the gateway refused a new token of this user', { code: 'CREDENTIALS_REJECTED' });
}
