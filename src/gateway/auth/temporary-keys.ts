import type { Clock } from '../../model/clock.ts';
import { errorMessage } from '../../model/errors.ts';
import { CredentialsError, GatewayError } from '../errors.ts';
import { HttpRequest } from '../http-exchange.ts';
import { sanitizePage } from '../sanitize.ts';
import { openTransport } from '../transport.ts';
import { isHeaderValue, isRefusal, type RequestAuth } from './credentials.ts';
import type { EnvSecret } from './env-secret.ts';
import type { CredentialIssuer, IssuedAuth } from './issued-credentials.ts';
import { type AccessKey, signRequest } from './request-signature.ts';
import { Secret } from './secret.ts';

/*
 * Temporary access keys from where edict runs, as the vendor's SDKs get them: for the identity of a pod, and for the agency of a server. Both
 * services are on the machine itself, so they are asked without a proxy and with a short time limit.
 */

/** The time limit of one request, in milliseconds: both services are one hop away. */
const timeLimitMs = 3_000;

/** How long before its expiry a key is replaced, in milliseconds. */
const renewMarginMs = 10 * 60_000;

/** What signed requests are made with, besides the key. */
export interface SigningContext {
  /** The ID of the project that the requests are for. */
  readonly project: string;
  readonly clock: Pick<Clock, 'now'>;
}

/** Returns the authentication with an access key. */
export function keyAuth(key: AccessKey, { project, clock }: SigningContext): RequestAuth {
  // The vendor's clients send and sign it; its guide to signing requires it for the resources of a sub-project.
  const projectHeader = { 'X-Project-Id': project };
  return {
    secrets: [key.secretAccessKey, ...(key.securityToken === undefined ? [] : [key.securityToken])],
    headersFor: ({ method, url, headers, body }) => ({
      ...projectHeader,
      ...signRequest(
        { method, url, headers: { ...Object.fromEntries(headers), ...projectHeader }, body: body ?? '' },
        key,
        new Date(clock.now()),
      ),
    }),
  };
}

/** Where a key stands in an answer: the object `path`, and the names of its ID, secret, security token and expiry. */
interface KeyFormat {
  readonly path: string;
  readonly names: readonly [id: string, secret: string, securityToken: string, expiry: string];
}

const podKeyFormat: KeyFormat = { path: 'credentials', names: ['accessKeyId', 'secretAccessKey', 'securityToken', 'expiration'] };
const serverKeyFormat: KeyFormat = { path: 'credential', names: ['access', 'secret', 'securitytoken', 'expires_at'] };

/** The maximum length of each part of a key and of a session, in characters. A server accepts about this much in all headers of a request. */
const maxPartLength = 16 * 1024;

/**
 * Returns the issuer of keys for a pod of the vendor's Kubernetes service: `uri` of its agent answers a POST that carries the token of the pod's
 * service account (the vendor's SDKs, HC_CONTAINER_CREDENTIALS_FULL_URI).
 */
export function podIdentityIssuer(uri: string, token: EnvSecret, context: SigningContext): CredentialIssuer {
  return {
    renewMarginMs,
    refresh: () => token.refresh(),
    secret: () => new Secret(token.read()),
    issue: async (secret, signal, nowMs) => {
      const authorization = secret.reveal();
      if (!isHeaderValue(authorization)) {
        throw new CredentialsError(`${token.name} holds nothing that can be sent`, { code: 'CREDENTIALS_UNREADABLE' });
      }
      const request = { method: 'POST', url: uri, headers: { authorization, 'content-type': 'application/json' }, body: '{}' };
      const answer = await ask(request, { what: "the pod's identity service", secrets: [authorization], signal });
      if (isRefusal(answer.status)) throw answerError(answer, podKeyFormat, 'CREDENTIALS_REJECTED');
      return parseKey(answer, podKeyFormat, context, nowMs);
    },
  };
}

/** The address of the metadata service, which every server of the vendor has. */
const metadataOrigin = 'http://169.254.169.254';

/** How long a session of the metadata service lasts, in seconds: only long enough for the one read that follows. */
const sessionSeconds = 60;

/**
 * Returns the issuer of keys for a server that has an agency: its metadata service gives a session, where it knows those, and then the key. `origin`
 * is the address of the service; tests replace it.
 */
export function serverAgencyIssuer(context: SigningContext, origin: string = metadataOrigin): CredentialIssuer {
  return {
    renewMarginMs,
    refresh: async () => {},
    secret: () => new Secret(''),
    issue: async (_, signal, nowMs) => {
      const what = "the server's metadata service";
      const sessionRequest = {
        method: 'PUT',
        url: `${origin}/meta-data/latest/api/token`,
        headers: { 'x-metadata-token-ttl-seconds': String(sessionSeconds) },
        body: null,
      };
      const session = await ask(sessionRequest, { what, secrets: [], signal });
      // An older service has no sessions and gives the key without one.
      const text = session.text.trim();
      const token = session.status === 200 && isSendable(text) ? text : null;
      const headers: Record<string, string> = token === null ? {} : { 'x-metadata-token': token };
      const keyRequest = { method: 'GET', url: `${origin}/openstack/latest/securitykey`, headers, body: null };
      const answer = await ask(keyRequest, { what, secrets: token === null ? [] : [token], signal });
      return parseKey(answer, serverKeyFormat, context, nowMs);
    },
  };
}

interface LocalRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
}

/** The answer of a service on this machine. */
interface LocalAnswer {
  /** The service, for messages. */
  readonly what: string;
  readonly status: number;
  readonly text: string;
  /** Redacted in messages. */
  readonly secrets: readonly string[];
}

async function ask(
  { method, url, headers, body }: LocalRequest,
  { what, secrets, signal }: { readonly what: string; readonly secrets: readonly string[]; readonly signal: AbortSignal },
): Promise<LocalAnswer> {
  const transport = openTransport({ mode: 'everything', connections: 1, timeoutMs: timeLimitMs, proxies: null });
  try {
    const request = new HttpRequest(url, { method, headers: new Headers(headers), body, signal });
    const response = await transport.fetch(request as unknown as Request);
    return { what, status: response.status, text: await response.text(), secrets };
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    throw new CredentialsError(`${what} gave no key: ${errorMessage(error)}`, { code: 'TEMPORARY_KEY_UNAVAILABLE', cause: error });
  } finally {
    await transport.close();
  }
}

function parseKey(answer: LocalAnswer, format: KeyFormat, context: SigningContext, nowMs: number): IssuedAuth {
  if (answer.status !== 200) throw answerError(answer, format, 'TEMPORARY_KEY_UNAVAILABLE');
  const { path, names } = format;
  const fields = fieldsOf(answer.text, path);
  const [accessKeyId, secretAccessKey, securityToken, expiry] = names.map((name) => fields[name]);
  const expiresAtMs = Date.parse(String(expiry));
  if (!isSendable(accessKeyId) || !isSendable(secretAccessKey) || !isSendable(securityToken) || Number.isNaN(expiresAtMs)) {
    throw new CredentialsError(`${answer.what} answered 200 without a whole key in ${path}`, {
      code: 'TEMPORARY_KEY_UNAVAILABLE',
      status: 200,
    });
  }
  return { auth: keyAuth({ accessKeyId, secretAccessKey, securityToken }, context), lifetimeMs: expiresAtMs - nowMs };
}

function fieldsOf(text: string, path: string): Readonly<Record<string, unknown>> {
  try {
    const body = JSON.parse(text) as Readonly<Record<string, unknown>> | null;
    const fields = body?.[path];
    return typeof fields === 'object' && fields !== null ? (fields as Readonly<Record<string, unknown>>) : {};
  } catch {
    return {};
  }
}

function isSendable(value: unknown): value is string {
  return typeof value === 'string' && value.length <= maxPartLength && isHeaderValue(value);
}

/** Returns an error with the text of an answer, unless it seems to have a key. */
function answerError(
  { what, status, text, secrets }: LocalAnswer,
  { names: [, secret, securityToken] }: KeyFormat,
  code: 'CREDENTIALS_REJECTED' | 'TEMPORARY_KEY_UNAVAILABLE',
): CredentialsError {
  const hasKey = text.includes(`"${secret}"`) || text.includes(`"${securityToken}"`);
  return new CredentialsError(`${what} answered ${status}${hasKey ? ' with a key' : `: ${sanitizePage(text, secrets)}`}`, { code, status });
}
