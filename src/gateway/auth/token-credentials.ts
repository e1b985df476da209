import type { Clock } from '../../model/clock.ts';
import { CredentialsError, RequestNotSentError } from '../errors.ts';
import type { AcquireRequestSlot } from '../interface.ts';
import { withRateLimit } from '../request-middleware.ts';
import { type AuthResult, type Credentials, type RequestAuth, tokenAuth } from './credentials.ts';
import { type IssuedToken, type LoginRequest, logIn } from './iam-client.ts';
import type { Secret } from './secret.ts';

/** How long before its expiry a token is replaced, in milliseconds; a tenth of its lifetime if that is less. */
const renewMarginMs = 5 * 60_000;

/** If the replacement of a rejected token is rejected too, the token is not the cause, so it is replaced again only after this time, in milliseconds. */
const replaceAgainMs = 60_000;

/** A token in use. */
interface CachedToken {
  readonly auth: RequestAuth;
  readonly sinceMs: number;
  readonly renewAtMs: number;
  /** The gateway accepted it, or it did not replace a rejected token. */
  isTrusted: boolean;
  /** The gateway rejected it although it is new. */
  isRejected: boolean;
}

/** A login in progress and the number of callers that wait for it. */
interface PendingLogin {
  readonly token: Promise<CachedToken>;
  readonly abort: AbortController;
  waiterCount: number;
}

export interface TokenCredentialsDeps {
  readonly clock: Pick<Clock, 'now' | 'monotonicMs'>;
  /** Called before each login. */
  readonly acquire?: AcquireRequestSlot;
  /** Called for each new token. */
  readonly onTokenIssued?: () => void;
  /** Makes the login's `password` return the latest one, if it is in a file; never rejects. */
  readonly refreshPassword?: () => Promise<void>;
  /** Fetches a token; tests replace it. Default: `logIn`. */
  readonly fetchToken?: typeof logIn;
}

/**
 * Logs in with a password when a token is needed and keeps the token until shortly before it expires.
 *
 * Concurrent callers share one login. After the identity service rejects a password, no login uses it again and every call rejects
 * immediately, because several consecutive failures lock the account.
 */
export class TokenCredentials implements Credentials {
  readonly #login: LoginRequest;
  readonly #clock: TokenCredentialsDeps['clock'];
  readonly #acquire: AcquireRequestSlot | undefined;
  readonly #onTokenIssued: () => void;
  readonly #refreshPassword: () => Promise<void>;
  readonly #fetchToken: typeof logIn;
  #token: CachedToken | null = null;
  #pendingLogin: PendingLogin | null = null;
  #rejection: { readonly error: CredentialsError; readonly password: string } | null = null;
  #replacesRejected = false;

  constructor(
    login: LoginRequest,
    { clock, acquire, onTokenIssued = () => {}, refreshPassword = async () => {}, fetchToken = logIn }: TokenCredentialsDeps,
  ) {
    this.#login = login;
    this.#acquire = acquire;
    this.#clock = clock;
    this.#onTokenIssued = onTokenIssued;
    this.#refreshPassword = refreshPassword;
    this.#fetchToken = fetchToken;
  }

  async authenticate(signal: AbortSignal): Promise<RequestAuth> {
    if (this.#rejection !== null && this.retryInMs() > 0) throw this.#rejection.error;
    if (this.#token?.isRejected && this.#isUnproven(this.#token)) throw rejectedError();
    if (this.#token?.isRejected) this.#token = null;
    const cached = this.#token !== null && this.#clock.monotonicMs() < this.#token.renewAtMs ? this.#token : await this.#joinLogin(signal);
    return cached.auth;
  }

  report(auth: RequestAuth, result: AuthResult): boolean {
    const cached = this.#token;
    const isCurrent = cached !== null && cached.auth === auth;
    if (result === 'accepted' && isCurrent) cached.isTrusted = true;
    if (result === 'accepted' || result === 'unknown') return false;
    if (!isCurrent) return true;
    if (this.#isUnproven(cached)) {
      cached.isRejected = true;
      return false;
    }
    this.#token = null;
    this.#replacesRejected = true;
    return true;
  }

  retryInMs(): number {
    if (this.#rejection !== null) return this.#login.password().reveal() === this.#rejection.password ? Number.POSITIVE_INFINITY : 0;
    return this.#token?.isRejected && this.#isUnproven(this.#token) ? Number.POSITIVE_INFINITY : 0;
  }

  reset(): void {
    this.#rejection = null;
    this.#token = null;
    this.#replacesRejected = false;
  }

  #isUnproven({ isTrusted, sinceMs }: CachedToken): boolean {
    return !isTrusted && this.#clock.monotonicMs() < sinceMs + replaceAgainMs;
  }

  /** Waits for the login in progress, or starts one. The login is aborted when no caller waits for it any more. */
  async #joinLogin(signal: AbortSignal): Promise<CachedToken> {
    if (signal.aborted) throw new RequestNotSentError();
    this.#pendingLogin ??= this.#startLogin();
    const login = this.#pendingLogin;
    login.waiterCount += 1;
    const { promise: aborted, reject } = Promise.withResolvers<never>();
    const rejectOnAbort = (): void => reject(new RequestNotSentError());
    signal.addEventListener('abort', rejectOnAbort);
    try {
      return await Promise.race([login.token, aborted]);
    } finally {
      signal.removeEventListener('abort', rejectOnAbort);
      login.waiterCount -= 1;
      if (login.waiterCount === 0 && this.#pendingLogin === login) {
        this.#pendingLogin = null;
        login.abort.abort();
      }
    }
  }

  #startLogin(): PendingLogin {
    const abort = new AbortController();
    const token = this.#logIn(abort.signal);
    token.catch(() => {}); // callers that wait get the error; without callers it would be an unhandled rejection
    return { token, abort, waiterCount: 0 };
  }

  async #logIn(signal: AbortSignal): Promise<CachedToken> {
    let password: Secret | null = null;
    try {
      const token = await withRateLimit(this.#acquire, signal, async () => {
        await this.#refreshPassword();
        const sent = this.#login.password();
        password = sent;
        return this.#fetchToken({ ...this.#login, password: () => sent }, signal, this.#clock.now());
      });
      this.#token = this.#cache(token);
      this.#rejection = null;
      this.#onTokenIssued();
      return this.#token;
    } catch (error) {
      if (error instanceof CredentialsError && error.code === 'CREDENTIALS_REJECTED') {
        // The password that was sent: the file may hold another one by now, which must be tried.
        this.#rejection = { error, password: (password ?? this.#login.password()).reveal() };
      }
      throw error;
    }
  }

  #cache({ value, lifetimeMs }: IssuedToken): CachedToken {
    const sinceMs = this.#clock.monotonicMs();
    // A lifetime of 0 or less means that the clocks differ: the token is kept until the gateway rejects it.
    const renewAtMs = lifetimeMs > 0 ? sinceMs + lifetimeMs - Math.min(renewMarginMs, lifetimeMs / 10) : Number.POSITIVE_INFINITY;
    const isTrusted = !this.#replacesRejected;
    this.#replacesRejected = false;
    return { auth: tokenAuth(value.reveal()), sinceMs, renewAtMs, isTrusted, isRejected: false };
  }
}

function rejectedError(): CredentialsError {
  return new CredentialsError('the gateway refused a new token of this user', { code: 'CREDENTIALS_REJECTED' });
}
