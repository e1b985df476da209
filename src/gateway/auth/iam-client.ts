import createClient from 'openapi-fetch';
import type { paths } from '../../../generated/roma-connect.d.ts';
import type { ProxySettings } from '../../model/env.ts';
import { errorMessage } from '../../model/errors.ts';
import { type CredentialsCode, CredentialsError, GatewayError } from '../errors.ts';
import { parseResponse } from '../response.ts';
import { openTransport } from '../transport.ts';
import { isHeaderValue, isRefusal, tokenAuth } from './credentials.ts';
import type { CredentialIssuer } from './issued-credentials.ts';
import { Secret } from './secret.ts';

/** A user by its ID, or by its name in the account `domain`. */
export type LoginUser = { readonly id: string } | { readonly name: string; readonly domain: string };

/** The user to log in, and the identity service. */
export interface LoginRequest {
  /** The identity service's address. */
  readonly iam: string;
  readonly user: LoginUser;
  /** Returns the current password. */
  readonly password: () => Secret;
  /** The ID of the project that the token is for. */
  readonly project: string;
  readonly timeoutMs: number;
  /** Default: no proxy. */
  readonly proxies?: ProxySettings | null;
}

export interface IssuedToken {
  readonly value: Secret;
  /** The lifetime from now on, in milliseconds, by the identity service's clock if the response contains it. */
  readonly lifetimeMs: number;
}

/** How long before its expiry a token is replaced, in milliseconds. */
const renewMarginMs = 5 * 60_000;

/** Returns the issuer of tokens for a login. `refresh` makes its `password` return the latest one, if it is in a file. */
export function loginIssuer(login: LoginRequest, refresh: () => Promise<void>): CredentialIssuer {
  return {
    renewMarginMs,
    refresh,
    secret: login.password,
    issue: async (password, signal, nowMs) => {
      const { value, lifetimeMs } = await logIn({ ...login, password: () => password }, signal, nowMs);
      return { auth: tokenAuth(value.reveal()), lifetimeMs };
    },
  };
}

/** Fetches a new token with one call, over its own connection: this happens about once a day. Rejects with a CredentialsError. */
export async function logIn(login: LoginRequest, signal: AbortSignal, nowMs: number): Promise<IssuedToken> {
  const { timeoutMs, proxies = null } = login;
  const transport = openTransport({ mode: 'everything', connections: 1, timeoutMs, proxies });
  try {
    return await requestToken(login, createClient<paths>({ ...transport, baseUrl: login.iam }), { signal, nowMs });
  } catch (error) {
    throw error instanceof GatewayError ? toCredentialsError(error) : error;
  } finally {
    await transport.close();
  }
}

async function requestToken(
  login: LoginRequest,
  client: ReturnType<typeof createClient<paths>>,
  { signal, nowMs }: { readonly signal: AbortSignal; readonly nowMs: number },
): Promise<IssuedToken> {
  const password = login.password().reveal();
  const user =
    'id' in login.user ? { id: login.user.id, password } : { name: login.user.name, password, domain: { name: login.user.domain } };
  const response = await client.POST('/v3/auth/tokens', {
    params: { query: { nocatalog: 'true' } },
    body: { auth: { identity: { methods: ['password'], password: { user } }, scope: { project: { id: login.project } } } },
    parseAs: 'text',
    signal,
  });
  const { token } = parseResponse('createToken', response, { secrets: [password], nowMs });
  const value = response.response.headers.get('x-subject-token')?.trim() ?? '';
  const expiresAtMs = Date.parse(token.expires_at);
  if (!isHeaderValue(value)) throw unusableTokenError('without a token in X-Subject-Token');
  if (Number.isNaN(expiresAtMs)) throw unusableTokenError('with an expires_at that is no time');
  const issuedAtMs = Date.parse(token.issued_at ?? '');
  return { value: new Secret(value), lifetimeMs: expiresAtMs - (Number.isNaN(issuedAtMs) ? nowMs : issuedAtMs) };
}

function unusableTokenError(detail: string): CredentialsError {
  return new CredentialsError(`the identity service answered 201 ${detail}`, { code: 'IAM_UNAVAILABLE', status: 201 });
}

function toCredentialsError(error: GatewayError): CredentialsError {
  if (error instanceof CredentialsError) return error;
  const { status, requestId, retryAfterMs } = error;
  const message = `the identity service gave no token: ${errorMessage(error)}`;
  return new CredentialsError(message, { code: credentialsCodeFor(error), status, requestId, retryAfterMs, cause: error });
}

function credentialsCodeFor({ status, retryAfterMs }: GatewayError): CredentialsCode {
  if (status !== null && isRefusal(status)) return 'CREDENTIALS_REJECTED';
  return status === 429 || retryAfterMs !== null ? 'IAM_THROTTLED' : 'IAM_UNAVAILABLE';
}
