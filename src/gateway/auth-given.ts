import type { Credentials, Proof } from './credentials.ts';
import { CredentialsError, stopped } from './gateway-error.ts';

/** Credentials as they were found, with what tells them from others. */
export interface Found {
  readonly proof: Proof;
  readonly fingerprint: string;
}

/**
 * Credentials that come from outside, a token or a key, and that edict cannot renew. What was refused is not sent again,
 * and until some credentials have been taken once only one request at a time carries them: more than five failures in a
 * row lock a key for five minutes (the service's reference on signed calls).
 */
export class GivenCredentials implements Credentials {
  readonly #find: () => Found;
  readonly #name: string;
  readonly #fingerprints = new WeakMap<Proof, string>();
  #refused: string | null = null;
  #taken: string | null = null;
  #trial: { readonly ended: Promise<void>; readonly end: () => void; readonly fingerprint: string } | null = null;

  /**
   * @param find returns what there is now; throws a CredentialsError if there is nothing
   * @param name what a person would look for, such as `HW_AUTH_TOKEN`
   */
  constructor(find: () => Found, name: string) {
    this.#find = find;
    this.#name = name;
  }

  async proof(signal: AbortSignal): Promise<Proof> {
    for (;;) {
      if (signal.aborted) throw stopped();
      const { proof, fingerprint } = this.#find();
      if (fingerprint === this.#refused) throw refusedError(this.#name);
      this.#fingerprints.set(proof, fingerprint);
      if (fingerprint === this.#taken) return proof;
      if (this.#trial === null) {
        const { promise: ended, resolve: end } = Promise.withResolvers<void>();
        this.#trial = { ended, end, fingerprint };
        return proof;
      }
      await this.#trial.ended;
    }
  }

  tried(proof: Proof, result: 'taken' | 'refused' | 'untold'): boolean {
    const fingerprint = this.#fingerprints.get(proof) ?? '';
    if (result === 'taken') this.#taken = fingerprint;
    if (result === 'refused') {
      this.#refused = fingerprint;
      if (this.#taken === fingerprint) this.#taken = null;
    }
    if (this.#trial?.fingerprint === fingerprint) {
      this.#trial.end();
      this.#trial = null;
    }
    return result === 'refused' && this.changed();
  }

  changed(): boolean {
    try {
      return this.#find().fingerprint !== this.#refused;
    } catch (error) {
      if (error instanceof CredentialsError) return false;
      throw error;
    }
  }

  forgive(): void {
    this.#refused = null;
  }
}

function refusedError(name: string): CredentialsError {
  return new CredentialsError(`the gateway refused ${name} before, and it has not changed since`, { code: 'CREDENTIALS_REFUSED' });
}
