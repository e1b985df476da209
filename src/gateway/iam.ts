import createClient from 'openapi-fetch';
import type { paths } from '../../generated/roma-connect.d.ts';
import { messageOf } from '../core/errors.ts';
import type { Proxies } from '../core/proxies.ts';
import { answeredBody } from './answer.ts';
import { isHeaderValue } from './credentials.ts';
import { type CredentialsCode, CredentialsError, GatewayError } from './gateway-error.ts';
import { Secret } from './secret.ts';
import { openTransport } from './transport.ts';

/** Who logs in, and where. */
export interface Login {
  /** The identity service's address. */
  readonly iam: string;
  readonly user: string;
  /** Returns the password there is now. */
  readonly password: () => Secret;
  /** The account's name. */
  readonly domain: string;
  /** The ID of the project that the token is for. */
  readonly project: string;
  readonly timeoutMs: number;
  /** Default: the identity service is asked itself. */
  readonly proxies?: Proxies | null;
}

export interface Token {
  readonly value: Secret;
  /** How long it lives from now on, by the identity service's own clock where that is known. */
  readonly livesMs: number;
}

/** Fetches a new token with one call, over a connection of its own: it happens about once a day. Rejects with a CredentialsError. */
export async function logIn(login: Login, signal: AbortSignal, nowMs: number): Promise<Token> {
  const { timeoutMs, proxies = null } = login;
  const transport = openTransport({ mode: 'everything', connections: 1, timeoutMs, proxies });
  try {
    return await fetchToken(login, createClient<paths>({ ...transport, baseUrl: login.iam }), signal, nowMs);
  } catch (error) {
    throw error instanceof GatewayError ? asCredentialsError(error) : error;
  } finally {
    await transport.close();
  }
}

async function fetchToken(
  login: Login,
  client: ReturnType<typeof createClient<paths>>,
  signal: AbortSignal,
  nowMs: number,
): Promise<Token> {
  const password = login.password().reveal();
  const user = { name: login.user, password, domain: { name: login.domain } };
  const answer = await client.POST('/v3/auth/tokens', {
    params: { query: { nocatalog: 'true' } },
    body: { auth: { identity: { methods: ['password'], password: { user } }, scope: { project: { id: login.project } } } },
    parseAs: 'text',
    signal,
  });
  const { token } = answeredBody('createToken', answer, [password], nowMs);
  const value = answer.response.headers.get('x-subject-token')?.trim() ?? '';
  const endsMs = Date.parse(token.expires_at);
  if (!isHeaderValue(value)) throw unusable('without a token in X-Subject-Token');
  if (Number.isNaN(endsMs)) throw unusable('with an expires_at that is no time');
  const issuedMs = Date.parse(token.issued_at ?? '');
  return { value: new Secret(value), livesMs: endsMs - (Number.isNaN(issuedMs) ? nowMs : issuedMs) };
}

function unusable(how: string): CredentialsError {
  return new CredentialsError(`the identity service answered 201 ${how}`, { code: 'IAM_UNAVAILABLE', status: 201 });
}

function asCredentialsError(error: GatewayError): CredentialsError {
  if (error instanceof CredentialsError) return error;
  const { status, requestId, pauseMs } = error;
  const message = `the identity service gave no token: ${messageOf(error)}`;
  return new CredentialsError(message, { code: codeFor(error), status, requestId, pauseMs, cause: error });
}

function codeFor({ status, pauseMs }: GatewayError): CredentialsCode {
  const refused = status !== null && status >= 400 && status < 500 && ![408, 409, 425, 429].includes(status);
  if (refused) return 'CREDENTIALS_REFUSED';
  return status === 429 || pauseMs !== null ? 'IAM_BUSY' : 'IAM_UNAVAILABLE';
}
