/*
 * The auth folder authenticates requests with a token, a signed key or a login at the identity service.
 * It must never show a secret in a text, and never send rejected credentials again: consecutive failures lock a key or an account.
 */
import type { HttpRequest } from '../http-exchange.ts';

/** The authentication of requests. */
export interface RequestAuth {
  /** Returns the headers that authenticate `request`. */
  headersFor(request: HttpRequest): Readonly<Record<string, string>>;
  /** Values to redact in every text. */
  readonly secrets: readonly string[];
}

/** A source of request authentication that learns from the gateway's responses. */
export interface Credentials {
  /** Resolves to an authentication. Rejects with a CredentialsError, immediately while only rejected credentials are available, or once `signal` is aborted. */
  authenticate(signal: AbortSignal): Promise<RequestAuth>;
  /** Reports the result of a request with `auth`; must be called for each. Returns whether to retry once with the credentials available then. */
  report(auth: RequestAuth, result: 'accepted' | 'rejected' | 'unknown'): boolean;
  /** Returns whether the credentials differ from the rejected ones, so that a retry makes sense. */
  hasChanged(): boolean;
  /** Forgets a rejection, because a person asked for a retry. */
  reset(): void;
}

/** The request header that holds a token. */
export const tokenHeader = 'X-Auth-Token';

/** Returns whether `text` is a valid header value. */
export function isHeaderValue(text: string): boolean {
  return /^[\x21-\x7e]+$/.test(text);
}

/** Returns the authentication with a token. */
export function tokenAuth(token: string): RequestAuth {
  return { headersFor: () => ({ [tokenHeader]: token }), secrets: [token] };
}
