import { createHash } from 'node:crypto';
import type { Clock } from '../../model/clock.ts';
import { type CredentialVariable, type Env, parseProxySettings } from '../../model/env.ts';
import { CredentialsMissingError, EdictError } from '../../model/errors.ts';
import type { GatewaySettings } from '../../model/gateway.ts';
import { CredentialsError } from '../errors.ts';
import type { AcquireRequestSlot } from '../interface.ts';
import { type Credentials, isHeaderValue, type RequestAuth, tokenAuth } from './credentials.ts';
import { type EnvSecret, openEnvSecret } from './env-secret.ts';
import { signRequest } from './request-signature.ts';
import { Secret } from './secret.ts';
import { type FoundCredentials, StaticCredentials } from './static-credentials.ts';
import { TokenCredentials } from './token-credentials.ts';

export interface CredentialsDeps {
  /** Called before a secret is read, with the origins that it will be sent to. Throws an EdictError if one of them is not allowed. */
  readonly assertAllowed: (origins: readonly string[]) => void;
  readonly clock: Pick<Clock, 'now' | 'monotonicMs'>;
  /** Called before each call to the identity service, which counts towards the gateway's limit. */
  readonly acquire?: AcquireRequestSlot;
  /** Called for each token that the identity service issues. */
  readonly onTokenIssued?: () => void;
}

/**
 * Resolves to the first credentials in `env` of: the token HW_AUTH_TOKEN; the key HW_ACCESS_KEY with HW_SECRET_KEY and, for a
 * temporary key, HW_SECURITY_TOKEN; a login with HW_USER_NAME, HW_USER_PASSWORD and HW_DOMAIN_NAME for the gateway's project.
 * Each secret may be in a file instead, named by NAME_FILE. Makes no call.
 *
 * Rejects with a CredentialsMissingError if there are none, as `assertAllowed` throws, an EdictError `CREDENTIALS_INVALID` for an invalid token or key
 * and `IAM_UNKNOWN` for a login without an identity service, and as `parseProxySettings` does.
 */
export async function openCredentials(
  env: Env,
  settings: Pick<GatewaySettings, 'endpoint' | 'iamEndpoint' | 'project' | 'timeoutMs'>,
  { assertAllowed, clock, acquire, onTokenIssued }: CredentialsDeps,
): Promise<Credentials> {
  const setting = (name: CredentialVariable): EnvSecret | null => openEnvSecret(env, name, clock.monotonicMs);
  const { endpoint, iamEndpoint, project, timeoutMs } = settings;
  const token = setting('HW_AUTH_TOKEN');
  if (token) {
    assertAllowed([endpoint]);
    await assertSendableAtStart(token, 'set it to the value of the X-Subject-Token header alone');
    return new StaticCredentials(tokenReader(token), token.name, clock, () => token.refresh());
  }
  const [access, secret, securityToken] = [setting('HW_ACCESS_KEY'), setting('HW_SECRET_KEY'), setting('HW_SECURITY_TOKEN')];
  if (access && secret) {
    assertAllowed([endpoint]);
    for (const part of [access, secret]) await assertSendableAtStart(part, 'set it to the key alone, as the console shows it');
    const refresh = async (): Promise<void> => {
      await Promise.all([access.refresh(), secret.refresh(), securityToken?.refresh()]);
    };
    return new StaticCredentials(keyReader({ access, secret, securityToken, project }, clock), access.name, clock, refresh);
  }
  const { HW_USER_NAME: user, HW_DOMAIN_NAME: domain } = env;
  const password = setting('HW_USER_PASSWORD');
  if (!user || !password || !domain) {
    if (access || secret) throw missingCredentialsError({ HW_ACCESS_KEY: access !== null, HW_SECRET_KEY: secret !== null }, 'a key');
    throw missingCredentialsError(
      { HW_USER_NAME: Boolean(user), HW_USER_PASSWORD: password !== null, HW_DOMAIN_NAME: Boolean(domain) },
      'a user to log in with',
    );
  }
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
    domain,
    project,
    timeoutMs,
    proxies: parseProxySettings(env),
  };
  const refreshPassword = (): Promise<void> => password.refresh();
  return new TokenCredentials(login, { clock, refreshPassword, ...(acquire && { acquire }), ...(onTokenIssued && { onTokenIssued }) });
}

function tokenReader(setting: EnvSecret): () => FoundCredentials {
  return cachedReader([setting], ([token = '']) => tokenAuth(token));
}

function keyReader(
  {
    access,
    secret,
    securityToken,
    project,
  }: { readonly access: EnvSecret; readonly secret: EnvSecret; readonly securityToken: EnvSecret | null; readonly project: string },
  clock: Pick<Clock, 'now'>,
): () => FoundCredentials {
  // The vendor's clients send and sign it; its guide to signing requires it for the resources of a sub-project.
  const projectHeader = { 'X-Project-Id': project };
  return cachedReader(
    securityToken ? [access, secret, securityToken] : [access, secret],
    ([accessKeyId = '', secretAccessKey = '', sessionToken]) => ({
      secrets: [secretAccessKey, ...(sessionToken === undefined ? [] : [sessionToken])],
      headersFor: ({ method, url, headers, body }) => ({
        ...projectHeader,
        ...signRequest(
          { method, url, headers: { ...Object.fromEntries(headers), ...projectHeader }, body: body ?? '' },
          { accessKeyId, secretAccessKey, ...(sessionToken !== undefined && { securityToken: sessionToken }) },
          new Date(clock.now()),
        ),
      }),
    }),
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

function missingCredentialsError(has: Readonly<Record<string, boolean>>, what: string): CredentialsMissingError {
  const absent = Object.keys(has).filter((name) => !has[name]);
  if (absent.length === Object.keys(has).length) {
    return new CredentialsMissingError('there are no credentials: no token, no key and no user is set', {
      hint: credentialsHint,
    });
  }
  const list = new Intl.ListFormat('en-GB').format(absent);
  return new CredentialsMissingError(`the credentials are incomplete: ${list} ${absent.length === 1 ? 'is' : 'are'} not set`, {
    hint: `set ${list} too (${what}), or other credentials: ${credentialsHint}`,
  });
}
