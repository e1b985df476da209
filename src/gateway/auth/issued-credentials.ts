import type { Clock } from '../../model/clock.ts';
import { CredentialsError, RequestNotSentError } from '../errors.ts';
import type { AcquireRequestSlot } from '../interface.ts';
import { withRateLimit } from '../request-middleware.ts';
import type { AuthResult, Credentials, RequestAuth } from './credentials.ts';
import type { Secret } from './secret.ts';

/** If the replacement of rejected credentials is rejected too, they are not the cause, so they are replaced again only after this time, in milliseconds. */
const replaceAgainMs = 60_000;

/** Issues tokens or temporary keys. */
export interface CredentialIssuer {
  /** How long before their expiry the credentials are replaced, in milliseconds; a quarter of their lifetime if that is less. */
  readonly renewMarginMs: number;
  /** Makes `secret` return the latest one, if it is in a file; never rejects. */
  refresh(): Promise<void>;
  /** Returns the secret that the issuer is asked with, such as a password; an empty one if it needs none. Throws a CredentialsError if it cannot be read. */
  secret(): Secret;
  /** Asks for new credentials with `secret`. Rejects with a CredentialsError. */
  issue(secret: Secret, signal: AbortSignal, nowMs: number): Promise<IssuedAuth>;
}

/** New credentials. */
export interface IssuedAuth {
  readonly auth: RequestAuth;
  /** The lifetime from now on, in milliseconds, by the issuer's clock if its response has it. */
  readonly lifetimeMs: number;
}

/** Credentials in use. */
interface CachedAuth {
  readonly auth: RequestAuth;
  readonly sinceMs: number;
  readonly renewAtMs: number;
  /** The gateway accepted it, or it did not replace a rejected one. */
  isTrusted: boolean;
  /** The gateway rejected it although it is new. */
  isRejected: boolean;
}

/** A request to the issuer in progress and the number of callers that wait for it. */
interface PendingIssue {
  readonly issued: Promise<CachedAuth>;
  readonly abort: AbortController;
  waiterCount: number;
}

export interface IssuedCredentialsDeps {
  readonly clock: Pick<Clock, 'now' | 'monotonicMs'>;
  /** Called before each request to the issuer, if those count towards the gateway's limit. */
  readonly acquire?: AcquireRequestSlot;
  /** Called for each new token or key. */
  readonly onIssued?: () => void;
}

/**
 * Asks an issuer when credentials are needed and keeps them until shortly before they expire.
 *
 * Concurrent callers share one request to the issuer. A secret that the issuer rejected is not used again, and every call rejects
 * immediately, because several consecutive failures lock an account.
 */
export class IssuedCredentials implements Credentials {
  readonly #issuer: CredentialIssuer;
  readonly #clock: IssuedCredentialsDeps['clock'];
  readonly #acquire: AcquireRequestSlot | undefined;
  readonly #onIssued: () => void;
  #current: CachedAuth | null = null;
  #pending: PendingIssue | null = null;
  #rejection: { readonly error: CredentialsError; readonly secret: string } | null = null;
  #replacesRejected = false;

  constructor(issuer: CredentialIssuer, { clock, acquire, onIssued = () => {} }: IssuedCredentialsDeps) {
    this.#issuer = issuer;
    this.#acquire = acquire;
    this.#clock = clock;
    this.#onIssued = onIssued;
  }

  async authenticate(signal: AbortSignal): Promise<RequestAuth> {
    if (this.#rejection !== null && this.retryInMs() > 0) throw this.#rejection.error;
    if (this.#current?.isRejected && this.#isUnproven(this.#current)) throw rejectedError();
    if (this.#current?.isRejected) this.#current = null;
    const { auth } =
      this.#current !== null && this.#clock.monotonicMs() < this.#current.renewAtMs ? this.#current : await this.#joinPending(signal);
    return auth;
  }

  report(auth: RequestAuth, result: AuthResult): boolean {
    const cached = this.#current;
    const isCurrent = cached !== null && cached.auth === auth;
    if (result === 'accepted' && isCurrent) cached.isTrusted = true;
    if (result === 'accepted' || result === 'unknown') return false;
    if (!isCurrent) return true;
    if (this.#isUnproven(cached)) {
      cached.isRejected = true;
      return false;
    }
    this.#current = null;
    this.#replacesRejected = true;
    return true;
  }

  retryInMs(): number {
    if (this.#rejection !== null) return this.#issuer.secret().reveal() === this.#rejection.secret ? Number.POSITIVE_INFINITY : 0;
    return this.#current?.isRejected && this.#isUnproven(this.#current) ? Number.POSITIVE_INFINITY : 0;
  }

  reset(): void {
    this.#rejection = null;
    this.#current = null;
    this.#replacesRejected = false;
  }

  #isUnproven({ isTrusted, sinceMs }: CachedAuth): boolean {
    return !isTrusted && this.#clock.monotonicMs() < sinceMs + replaceAgainMs;
  }

  /** Waits for the request in progress, or starts one. It is aborted when no caller waits for it any more. */
  async #joinPending(signal: AbortSignal): Promise<CachedAuth> {
    if (signal.aborted) throw new RequestNotSentError();
    this.#pending ??= this.#start();
    const pending = this.#pending;
    pending.waiterCount += 1;
    const { promise: aborted, reject } = Promise.withResolvers<never>();
    const rejectOnAbort = (): void => reject(new RequestNotSentError());
    signal.addEventListener('abort', rejectOnAbort);
    try {
      return await Promise.race([pending.issued, aborted]);
    } finally {
      signal.removeEventListener('abort', rejectOnAbort);
      pending.waiterCount -= 1;
      if (pending.waiterCount === 0 && this.#pending === pending) {
        this.#pending = null;
        pending.abort.abort();
      }
    }
  }

  #start(): PendingIssue {
    const abort = new AbortController();
    const issued = this.#issue(abort.signal);
    issued.catch(() => {}); // callers that wait get the error; without callers it would be an unhandled rejection
    return { issued, abort, waiterCount: 0 };
  }

  async #issue(signal: AbortSignal): Promise<CachedAuth> {
    let secret: Secret | null = null;
    try {
      const issued = await withRateLimit(this.#acquire, signal, async () => {
        await this.#issuer.refresh();
        secret = this.#issuer.secret();
        return this.#issuer.issue(secret, signal, this.#clock.now());
      });
      this.#current = this.#cache(issued);
      this.#rejection = null;
      this.#onIssued();
      return this.#current;
    } catch (error) {
      if (error instanceof CredentialsError && error.code === 'CREDENTIALS_REJECTED') {
        // The secret that was sent: the file may hold another one by now, which must be tried.
        this.#rejection = { error, secret: (secret ?? this.#issuer.secret()).reveal() };
      }
      throw error;
    }
  }

  #cache({ auth, lifetimeMs }: IssuedAuth): CachedAuth {
    const sinceMs = this.#clock.monotonicMs();
    // A lifetime of 0 or less means that the clocks differ: the credentials are kept until the gateway rejects them.
    const marginMs = Math.min(this.#issuer.renewMarginMs, lifetimeMs / 4);
    const renewAtMs = lifetimeMs > 0 ? sinceMs + lifetimeMs - marginMs : Number.POSITIVE_INFINITY;
    const isTrusted = !this.#replacesRejected;
    this.#replacesRejected = false;
    return { auth, sinceMs, renewAtMs, isTrusted, isRejected: false };
  }
}

function rejectedError(): CredentialsError {
  return new CredentialsError('the gateway refused a new token or key too', { code: 'CREDENTIALS_REJECTED' });
}
