import type { HttpRequest } from '../http-exchange.ts';

/** What proves for one request who calls. */
export interface RequestAuth {
  /** Returns the headers that make the gateway take `request`. */
  headersFor(request: HttpRequest): Readonly<Record<string, string>>;
  /** What must not be seen in any text. */
  readonly secrets: readonly string[];
}

/** What proves to the gateway who calls. */
export interface Credentials {
  /** Resolves to a proof. Rejects with a CredentialsError, at once while nothing but a refused proof is to be had, or once `signal` is aborted. */
  authenticate(signal: AbortSignal): Promise<RequestAuth>;
  /** Says what came of a request with `proof`; to be called for each. Returns whether one more try, with the proof there is then, is worth it. */
  report(proof: RequestAuth, result: 'taken' | 'refused' | 'untold'): boolean;
  /** Returns whether another try is worth it after a refusal: what there is now is not what was refused. */
  hasChanged(): boolean;
  /** Forgets a refusal, since a person asks for another try. */
  reset(): void;
}

/** The request header that holds a token. */
export const tokenHeader = 'X-Auth-Token';

/** Returns whether `text` can stand in a request header. */
export function isHeaderValue(text: string): boolean {
  return /^[\x21-\x7e]+$/.test(text);
}

/** Returns the proof that is a token. */
export function tokenAuth(token: string): RequestAuth {
  return { headersFor: () => ({ [tokenHeader]: token }), secrets: [token] };
}
