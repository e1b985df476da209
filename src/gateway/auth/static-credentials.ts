import { settledOrAborted } from '../../model/clock.ts';
import { CredentialsError, RequestNotSentError } from '../errors.ts';
import type { Credentials, RequestAuth } from './credentials.ts';

/** Credentials with the fingerprint that identifies them. */
export interface FoundCredentials {
  readonly auth: RequestAuth;
  readonly fingerprint: string;
}

/**
 * A given token or key that edict cannot renew. Rejected credentials are not sent again, and until credentials have been
 * accepted once, only one request at a time uses them: more than five consecutive failures lock a key for five minutes (the
 * service's reference on signed calls).
 */
export class StaticCredentials implements Credentials {
  readonly #read: () => FoundCredentials;
  readonly #name: string;
  readonly #refresh: () => Promise<void>;
  readonly #fingerprints = new WeakMap<RequestAuth, string>();
  #rejected: string | null = null;
  #accepted: string | null = null;
  #trial: { readonly ended: Promise<void>; readonly end: () => void; readonly fingerprint: string } | null = null;

  /**
   * @param read returns the current credentials; throws a CredentialsError if there are none
   * @param name the variable to name in errors, such as `HW_AUTH_TOKEN`
   * @param refresh makes `read` return the latest credentials, if they are in a file; never rejects
   */
  constructor(read: () => FoundCredentials, name: string, refresh: () => Promise<void> = async () => {}) {
    this.#read = read;
    this.#name = name;
    this.#refresh = refresh;
  }

  async authenticate(signal: AbortSignal): Promise<RequestAuth> {
    for (;;) {
      await this.#refresh();
      if (signal.aborted) throw new RequestNotSentError();
      const { auth, fingerprint } = this.#read();
      if (fingerprint === this.#rejected) throw rejectedError(this.#name);
      this.#fingerprints.set(auth, fingerprint);
      if (fingerprint === this.#accepted) return auth;
      if (this.#trial === null) {
        const { promise: ended, resolve: end } = Promise.withResolvers<void>();
        this.#trial = { ended, end, fingerprint };
        return auth;
      }
      await settledOrAborted(this.#trial.ended, signal);
    }
  }

  report(auth: RequestAuth, result: 'accepted' | 'rejected' | 'unknown'): boolean {
    const fingerprint = this.#fingerprints.get(auth) ?? '';
    if (result === 'accepted') this.#accepted = fingerprint;
    if (result === 'rejected') {
      this.#rejected = fingerprint;
      if (this.#accepted === fingerprint) this.#accepted = null;
    }
    if (this.#trial?.fingerprint === fingerprint) {
      this.#trial.end();
      this.#trial = null;
    }
    return result === 'rejected' && this.hasChanged();
  }

  hasChanged(): boolean {
    try {
      return this.#read().fingerprint !== this.#rejected;
    } catch (error) {
      if (error instanceof CredentialsError) return false;
      throw error;
    }
  }

  reset(): void {
    this.#rejected = null;
  }
}

function rejectedError(name: string): CredentialsError {
  return new CredentialsError(`the gateway refused ${name} before, and it has not changed since`, { code: 'CREDENTIALS_REJECTED' });
}
