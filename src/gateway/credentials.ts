import type { Secret } from './secret.ts';

/** What proves to the gateway who calls. */
export interface Credentials {
  /** Returns the request headers that hold the proof. Rejects with a CredentialsError, or once `signal` is aborted. */
  header(signal: AbortSignal): Promise<Record<string, string>>;
  /** The gateway refused the headers `used`. Returns whether one more try, with the headers there are then, is worth it. */
  refused(used: Readonly<Record<string, string>>): boolean;
  /** The gateway took the headers `used`. */
  accepted(used: Readonly<Record<string, string>>): void;
}

/** The request header that holds a token. */
export const tokenHeader = 'X-Auth-Token';

/** Returns whether `text` can stand in a request header. */
export function isHeaderValue(text: string): boolean {
  return /^[\x21-\x7e]+$/.test(text);
}

/** Returns credentials that are one token from outside, which edict cannot renew. */
export function givenToken(token: Secret): Credentials {
  return {
    header: () => Promise.resolve({ [tokenHeader]: token.reveal() }),
    refused: () => false,
    accepted: () => {},
  };
}
