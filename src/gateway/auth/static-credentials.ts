import { type Clock, settledOrAborted } from '../../model/clock.ts';
import { CredentialsError, RequestNotSentError } from '../errors.ts';
import type { AuthResult, Credentials, RequestAuth } from './credentials.ts';

/** Credentials with the fingerprint that identifies them. */
export interface FoundCredentials {
  readonly auth: RequestAuth;
  readonly fingerprint: string;
}

/** How long after a refusal that need not be the credentials' fault they are tried once more, in milliseconds. */
const doubtfulRetryMs = 60_000;

/** How long after a refusal of a locked key it is tried once more, in milliseconds: the lock ends after five minutes. */
const lockedRetryMs = 6 * 60_000;

/** Credentials that the gateway refused. */
interface Rejection {
  readonly fingerprint: string;
  /** When they are tried once more, on the monotonic clock; `Infinity`: not before they change. */
  readonly retryAtMs: number;
  /** The request that tries them once more was let through. */
  isRetried: boolean;
}

/**
 * A given token or key that edict cannot renew. Credentials that were rejected twice, or once before the gateway ever accepted them, are not
 * sent again, and until credentials have been accepted once, only one request at a time uses them: more than five consecutive failures
 * lock a key for five minutes (the service's reference on signed calls).
 */
export class StaticCredentials implements Credentials {
  readonly #read: () => FoundCredentials;
  readonly #name: string;
  readonly #monotonicMs: () => number;
  readonly #refresh: () => Promise<void>;
  readonly #fingerprints = new WeakMap<RequestAuth, string>();
  #rejection: Rejection | null = null;
  #accepted: string | null = null;
  #trial: { readonly ended: Promise<void>; readonly end: () => void; readonly fingerprint: string } | null = null;

  /**
   * @param read returns the current credentials; throws a CredentialsError if there are none
   * @param name the variable to name in errors, such as `HW_AUTH_TOKEN`
   * @param clock decides when refused credentials are tried once more
   * @param refresh makes `read` return the latest credentials, if they are in a file; never rejects
   */
  constructor(
    read: () => FoundCredentials,
    name: string,
    { monotonicMs }: Pick<Clock, 'monotonicMs'>,
    refresh: () => Promise<void> = async () => {},
  ) {
    this.#read = read;
    this.#name = name;
    this.#monotonicMs = monotonicMs;
    this.#refresh = refresh;
  }

  async authenticate(signal: AbortSignal): Promise<RequestAuth> {
    for (;;) {
      await this.#refresh();
      if (signal.aborted) throw new RequestNotSentError();
      const { auth, fingerprint } = this.#read();
      const rejection = this.#rejection?.fingerprint === fingerprint ? this.#rejection : null;
      if (rejection && this.#monotonicMs() < rejection.retryAtMs) throw rejectedError(this.#name);
      this.#fingerprints.set(auth, fingerprint);
      if (fingerprint === this.#accepted) return auth;
      if (this.#trial === null) {
        const { promise: ended, resolve: end } = Promise.withResolvers<void>();
        this.#trial = { ended, end, fingerprint };
        if (rejection) rejection.isRetried = true;
        return auth;
      }
      await settledOrAborted(this.#trial.ended, signal);
    }
  }

  report(auth: RequestAuth, result: AuthResult): boolean {
    const fingerprint = this.#fingerprints.get(auth) ?? '';
    const isRefused = result !== 'accepted' && result !== 'unknown';
    if (result === 'accepted') {
      this.#accepted = fingerprint;
      if (this.#rejection?.isRetried) this.#rejection = null;
    }
    if (isRefused) {
      this.#rejection = this.#reject(fingerprint, result);
      if (this.#accepted === fingerprint) this.#accepted = null;
    }
    if (this.#trial?.fingerprint === fingerprint) {
      this.#trial.end();
      this.#trial = null;
    }
    return isRefused && this.retryInMs() === 0;
  }

  retryInMs(): number {
    try {
      const { fingerprint } = this.#read();
      return this.#rejection?.fingerprint === fingerprint ? Math.max(0, this.#rejection.retryAtMs - this.#monotonicMs()) : 0;
    } catch (error) {
      if (error instanceof CredentialsError) return Number.POSITIVE_INFINITY;
      throw error;
    }
  }

  reset(): void {
    this.#rejection = null;
  }

  #reject(fingerprint: string, result: 'rejected' | 'doubtful' | 'locked'): Rejection {
    const earlier = this.#rejection?.fingerprint === fingerprint ? this.#rejection : null;
    // Requests that were in flight together are refused together, which is one refusal.
    if (earlier && !earlier.isRetried) return earlier;
    const wasAccepted = this.#accepted === fingerprint;
    const delayMs = result === 'locked' ? lockedRetryMs : result === 'doubtful' || wasAccepted ? doubtfulRetryMs : null;
    const retryAtMs = earlier || delayMs === null ? Number.POSITIVE_INFINITY : this.#monotonicMs() + delayMs;
    return { fingerprint, retryAtMs, isRetried: false };
  }
}

function rejectedError(name: string): CredentialsError {
  return new CredentialsError(`the gateway refused ${name} before, and it has not changed since`, { code: 'CREDENTIALS_REJECTED' });
}
