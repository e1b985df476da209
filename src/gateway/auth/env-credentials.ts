import { createHash } from 'node:crypto';
import type { Clock } from '../../model/clock.ts';
import { type CredentialVariable, type Env, parseProxySettings } from '../../model/env.ts';
import { CredentialsMissingError, EdictError } from '../../model/errors.ts';
import { type GatewaySettings, isLoopbackHost } from '../../model/gateway.ts';
import { CredentialsError } from '../errors.ts';
import type { AcquireRequestSlot } from '../interface.ts';
import { type Credentials, isHeaderValue, type RequestAuth, tokenAuth } from './credentials.ts';
import { type EnvSecret, openEnvSecret } from './env-secret.ts';
import { type LoginUser, loginIssuer } from './iam-client.ts';
import { IssuedCredentials } from './issued-credentials.ts';
import { Secret } from './secret.ts';
import { type FoundCredentials, StaticCredentials } from './static-credentials.ts';
import { keyAuth, podIdentityIssuer, type SigningContext, serverAgencyIssuer } from './temporary-keys.ts';

export interface CredentialsDeps {
  /** Called before a secret is read, with the origins that it will be sent to. Throws an EdictError if one of them is not allowed. */
  readonly assertAllowed: (origins: readonly string[]) => void;
  readonly clock: Pick<Clock, 'now' | 'monotonicMs'>;
  /** Called before each call to the identity service, which counts towards the gateway's limit. */
  readonly acquire?: AcquireRequestSlot;
  /** Called for each token that the identity service issues. */
  readonly onTokenIssued?: () => void;
}

/** Credentials, and where they come from. */
export interface OpenedCredentials extends Credentials {
  /** Names the variables, such as `the token in HW_AUTH_TOKEN`; has no secret. */
  readonly description: string;
}

/**
 * Resolves to the first credentials that `env` has of:
 *
 * 1. the token HW_AUTH_TOKEN;
 * 2. the key HW_ACCESS_KEY with HW_SECRET_KEY and, for a temporary key, HW_SECURITY_TOKEN; the vendor's SDKs call them HUAWEICLOUD_SDK_AK,
 *    HUAWEICLOUD_SDK_SK and HUAWEICLOUD_SDK_SECURITY_TOKEN;
 * 3. a login for the gateway's project with HW_USER_PASSWORD, and HW_USER_ID or HW_USER_NAME in HW_DOMAIN_NAME;
 * 4. temporary keys of a pod: HC_CONTAINER_CREDENTIALS_FULL_URI with HC_CONTAINER_AUTHORIZATION_TOKEN;
 * 5. temporary keys of a server's agency, if HW_ECS_METADATA is `true`.
 *
 * Each secret may be in a file instead, named by NAME_FILE. Makes no call.
 *
 * Rejects with a CredentialsMissingError if there are none, as `assertAllowed` throws, an EdictError `CREDENTIALS_INVALID` for an invalid token, key
 * or address and `IAM_UNKNOWN` for a login without an identity service, and as `parseProxySettings` does.
 */
export async function openCredentials(env: Env, settings: CredentialsSettings, deps: CredentialsDeps): Promise<OpenedCredentials> {
  const credentials =
    (await openToken(env, settings, deps)) ??
    (await openKey(env, ['HW_ACCESS_KEY', 'HW_SECRET_KEY', 'HW_SECURITY_TOKEN'], settings, deps)) ??
    (await openKey(env, ['HUAWEICLOUD_SDK_AK', 'HUAWEICLOUD_SDK_SK', 'HUAWEICLOUD_SDK_SECURITY_TOKEN'], settings, deps)) ??
    openLogin(env, settings, deps) ??
    openPodIdentity(env, settings, deps) ??
    openServerAgency(env, settings, deps);
  if (credentials === null) throw missingCredentialsError(env);
  return credentials;
}

type CredentialsSettings = Pick<GatewaySettings, 'endpoint' | 'iamEndpoint' | 'project' | 'timeoutMs'>;

async function openToken(
  env: Env,
  { endpoint }: CredentialsSettings,
  { assertAllowed, clock }: CredentialsDeps,
): Promise<OpenedCredentials | null> {
  const token = openEnvSecret(env, 'HW_AUTH_TOKEN', clock.monotonicMs);
  if (token === null) return null;
  assertAllowed([endpoint]);
  await assertSendableAtStart(token, 'set it to the value of the X-Subject-Token header alone');
  const credentials = new StaticCredentials(tokenReader(token), token.name, clock, () => token.refresh());
  return Object.assign(credentials, { description: `the token in ${token.name}` });
}

async function openKey(
  env: Env,
  names: readonly [CredentialVariable, CredentialVariable, CredentialVariable],
  { endpoint, project }: CredentialsSettings,
  { assertAllowed, clock }: CredentialsDeps,
): Promise<OpenedCredentials | null> {
  const [access, secret, securityToken] = names.map((name) => openEnvSecret(env, name, clock.monotonicMs));
  if (!access || !secret) return null;
  assertAllowed([endpoint]);
  const parts = [access, secret, ...(securityToken ? [securityToken] : [])];
  for (const part of parts) await assertSendableAtStart(part, 'set it to the key alone, as the console shows it');
  const refresh = async (): Promise<void> => void (await Promise.all(parts.map((part) => part.refresh())));
  const credentials = new StaticCredentials(keyReader(parts, { project, clock }), access.name, clock, refresh);
  return Object.assign(credentials, { description: `the ${securityToken ? 'temporary key' : 'key'} in ${access.name}` });
}

function openLogin(
  env: Env,
  { endpoint, iamEndpoint, project, timeoutMs }: CredentialsSettings,
  { assertAllowed, clock, acquire, onTokenIssued }: CredentialsDeps,
): OpenedCredentials | null {
  const { HW_USER_ID: id, HW_USER_NAME: name, HW_DOMAIN_NAME: domain } = env;
  const user: LoginUser | null = id ? { id } : name && domain ? { name, domain } : null;
  const password = openEnvSecret(env, 'HW_USER_PASSWORD', clock.monotonicMs);
  if (user === null || password === null) return null;
  assertAllowed(iamEndpoint === null ? [endpoint] : [endpoint, iamEndpoint]);
  if (iamEndpoint === null) {
    throw new EdictError('IAM_UNKNOWN', `edict cannot log in: no identity service is known for ${endpoint}`, {
      hint: 'set gateway.iam in the file, such as https://iam.REGION.myhuaweicloud.com, or use a token or a key instead of a password',
    });
  }
  const login = {
    iam: iamEndpoint,
    user,
    password: () => new Secret(password.read()),
    project,
    timeoutMs,
    proxies: parseProxySettings(env),
  };
  const credentials = new IssuedCredentials(
    loginIssuer(login, () => password.refresh()),
    { clock, ...(acquire && { acquire }), ...(onTokenIssued && { onIssued: onTokenIssued }) },
  );
  const who = 'id' in user ? 'the user in HW_USER_ID' : `${user.name} in ${user.domain}`;
  return Object.assign(credentials, { description: `a login of ${who} at ${iamEndpoint}` });
}

function openPodIdentity(
  env: Env,
  { endpoint, project }: CredentialsSettings,
  { assertAllowed, clock, onTokenIssued }: CredentialsDeps,
): OpenedCredentials | null {
  const { HC_CONTAINER_CREDENTIALS_FULL_URI: uri } = env;
  const token = openEnvSecret(env, 'HC_CONTAINER_AUTHORIZATION_TOKEN', clock.monotonicMs);
  if (!uri || token === null) return null;
  assertAllowed([endpoint]);
  if (!isLocalService(uri)) {
    throw new EdictError('CREDENTIALS_INVALID', 'HC_CONTAINER_CREDENTIALS_FULL_URI is not the address of a service of this machine', {
      hint: "expected https, or http to this machine or a link-local address: the token of the pod's service account is sent there",
    });
  }
  const credentials = new IssuedCredentials(podIdentityIssuer(uri, token, { project, clock }), {
    clock,
    ...(onTokenIssued && { onIssued: onTokenIssued }),
  });
  return Object.assign(credentials, { description: 'temporary keys of the pod' });
}

function openServerAgency(
  env: Env,
  { endpoint, project }: CredentialsSettings,
  { assertAllowed, clock, onTokenIssued }: CredentialsDeps,
): OpenedCredentials | null {
  if (env['HW_ECS_METADATA'] !== 'true') return null;
  assertAllowed([endpoint]);
  const deps = { clock, ...(onTokenIssued && { onIssued: onTokenIssued }) };
  const credentials = new IssuedCredentials(serverAgencyIssuer({ project, clock }), deps);
  return Object.assign(credentials, { description: "temporary keys of the server's agency" });
}

/** Returns whether a secret may be sent to `uri`: with TLS anywhere, else only to this machine or a link-local address, which no network routes. */
function isLocalService(uri: string): boolean {
  const { protocol, hostname } = URL.parse(uri) ?? {};
  if (protocol === 'https:') return true;
  return protocol === 'http:' && (isLoopbackHost(hostname ?? '') || /^169\.254\.\d+\.\d+$|^\[fe80:/.test(hostname ?? ''));
}

function tokenReader(setting: EnvSecret): () => FoundCredentials {
  return cachedReader([setting], ([token = '']) => tokenAuth(token));
}

/** `parts`: the ID of the key, its secret and, for a temporary key, its security token. */
function keyReader(parts: readonly EnvSecret[], context: SigningContext): () => FoundCredentials {
  return cachedReader(parts, ([accessKeyId = '', secretAccessKey = '', securityToken]) =>
    keyAuth({ accessKeyId, secretAccessKey, securityToken }, context),
  );
}

/**
 * Returns a function that builds the authentication from `secrets`. It is rebuilt only when a secret has changed, because a token
 * can have thousands of characters. Throws like `assertSendable`.
 */
function cachedReader(settings: readonly EnvSecret[], buildAuth: (texts: readonly string[]) => RequestAuth): () => FoundCredentials {
  let last: { readonly texts: readonly string[]; readonly found: FoundCredentials } | null = null;
  return () => {
    const texts = settings.map((setting) => setting.read());
    if (last?.texts.every((text, index) => text === texts[index])) return last.found;
    for (const [index, text] of texts.entries()) assertSendable(settings[index]?.name ?? '', text);
    last = { texts, found: { auth: buildAuth(texts), fingerprint: fingerprint(texts) } };
    return last.found;
  };
}

/** Identifies credentials without keeping a second copy of them. */
function fingerprint(parts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}

/** Throws a CredentialsError for a text that cannot be sent; `name` is the variable that it comes from. */
function assertSendable(name: string, text: string): void {
  if (isHeaderValue(text)) return;
  throw new CredentialsError(
    `${name} holds ${text === '' ? 'nothing' : 'a space, a line break or another character that cannot be sent'}`,
    {
      code: 'CREDENTIALS_UNREADABLE',
    },
  );
}

/** At startup an invalid secret is an error; later, when a file changes, edict waits until it is valid. */
async function assertSendableAtStart(setting: EnvSecret, hint: string): Promise<void> {
  await setting.refresh();
  try {
    assertSendable(setting.name, setting.read());
  } catch (error) {
    if (error instanceof CredentialsError) throw new EdictError('CREDENTIALS_INVALID', error.message, { hint });
    throw error;
  }
}

const credentialsHint =
  'set HW_AUTH_TOKEN (a token), or HW_ACCESS_KEY and HW_SECRET_KEY (a key), or HW_USER_NAME, HW_USER_PASSWORD and HW_DOMAIN_NAME (a user to log in with)';

/** The variables that belong together, with what they are for. */
const incompleteSets: readonly (readonly [names: readonly string[], what: string])[] = [
  [['HW_ACCESS_KEY', 'HW_SECRET_KEY'], 'a key'],
  [['HUAWEICLOUD_SDK_AK', 'HUAWEICLOUD_SDK_SK'], 'a key'],
  [['HW_USER_NAME', 'HW_USER_PASSWORD', 'HW_DOMAIN_NAME'], 'a user to log in with'],
  [['HW_USER_ID', 'HW_USER_PASSWORD'], 'a user to log in with'],
  [['HC_CONTAINER_CREDENTIALS_FULL_URI', 'HC_CONTAINER_AUTHORIZATION_TOKEN_FILE'], "a pod's identity"],
];

/** Returns the error for an `env` without whole credentials: it names what the first set lacks of which anything is there. */
function missingCredentialsError(env: Env): CredentialsMissingError {
  for (const [names, what] of incompleteSets) {
    const absent = names.filter((name) => !env[name]?.trim() && !env[`${name}_FILE`]?.trim());
    if (absent.length === names.length) continue;
    const list = new Intl.ListFormat('en-GB').format(absent);
    return new CredentialsMissingError(`the credentials are incomplete: ${list} ${absent.length === 1 ? 'is' : 'are'} not set`, {
      hint: `set ${list} too (${what}), or other credentials: ${credentialsHint}`,
    });
  }
  return new CredentialsMissingError('there are no credentials: no token, no key and no user is set', { hint: credentialsHint });
}
