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

/**
 * What a response says about the credentials of its request.
 *
 * - `accepted`: the gateway knows them.
 * - `rejected`: it does not.
 * - `doubtful`: it refused the request for a reason that need not be the credentials.
 * - `locked`: it accepts no request with this key for some minutes, after several failures in a row.
 * - `unknown`: nothing.
 */
export type AuthResult = 'accepted' | 'rejected' | 'doubtful' | 'locked' | 'unknown';

/** A source of request authentication that learns from the gateway's responses. */
export interface Credentials {
  /** Resolves to an authentication. Rejects with a CredentialsError, immediately while only rejected credentials are available, or once `signal` is aborted. */
  authenticate(signal: AbortSignal): Promise<RequestAuth>;
  /** Reports the result of a request with `auth`; must be called for each. Returns whether to retry once with the credentials available then. */
  report(auth: RequestAuth, result: AuthResult): boolean;
  /**
   * Returns in how many milliseconds a request makes sense: 0 unless the credentials are the rejected ones, `Infinity` if those are not
   * tried again by themselves.
   */
  retryInMs(): number;
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

/** Returns whether an issuer of credentials that answers with `status` has refused what it was asked with, so that it must not be asked with it again. */
export function isRefusal(status: number): boolean {
  return status >= 400 && status < 500 && ![408, 409, 425, 429].includes(status);
}
