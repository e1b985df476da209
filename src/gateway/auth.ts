import { createHash } from 'node:crypto';
import { EdictError } from '../core/errors.ts';
import type { Admit, Clock } from '../core/ports.ts';
import { proxiesOf } from '../core/proxies.ts';
import type { GatewaySettings } from '../core/publication.ts';
import { signRequest } from '../core/signature.ts';
import { type Found, GivenCredentials } from './auth-given.ts';
import { TokenCredentials } from './auth-token.ts';
import { type Credentials, isHeaderValue, type Proof, tokenProof } from './credentials.ts';
import { CredentialsError } from './gateway-error.ts';
import { Secret } from './secret.ts';
import { type Environment, type Setting, settingOf } from './setting.ts';

export interface CredentialsDeps {
  readonly clock: Pick<Clock, 'now' | 'monotonic'>;
  /** Asked before each call to the identity service: it counts in the gateway's limit. */
  readonly admit?: Admit;
  /** Hears of each token that the identity service has given. */
  readonly onToken?: () => void;
}

/**
 * Returns the credentials that `environment` holds, the first of: the token HW_AUTH_TOKEN, the key HW_ACCESS_KEY with
 * HW_SECRET_KEY and, if it is a temporary one, HW_SECURITY_TOKEN, a login with HW_USER_NAME, HW_USER_PASSWORD and
 * HW_DOMAIN_NAME for the gateway's project. Each secret may stand in a file instead, which NAME_FILE names. Makes no call.
 *
 * Throws an EdictError: `CREDENTIALS_MISSING` if there are none, `CREDENTIALS_INVALID` for what cannot be a token or key, and as `proxiesOf` does.
 */
export function openCredentials(
  environment: Environment,
  settings: Pick<GatewaySettings, 'iam' | 'project' | 'timeoutMs'>,
  { clock, admit, onToken }: CredentialsDeps,
): Credentials {
  const setting = (name: string): Setting | null => settingOf(environment, name, clock.monotonic);
  const token = setting('HW_AUTH_TOKEN');
  if (token) {
    checkNow(token, 'set it to the value of the X-Subject-Token header alone');
    return new GivenCredentials(foundToken(token), token.name);
  }
  const [access, secret, securityToken] = [setting('HW_ACCESS_KEY'), setting('HW_SECRET_KEY'), setting('HW_SECURITY_TOKEN')];
  if (access && secret) {
    for (const part of [access, secret]) checkNow(part, 'set it to the key alone, as the console shows it');
    return new GivenCredentials(foundKey(access, secret, securityToken, clock), access.name);
  }
  const { HW_USER_NAME: user, HW_DOMAIN_NAME: domain } = environment;
  const password = setting('HW_USER_PASSWORD');
  if (!user || !password || !domain) {
    if (access || secret) throw missing({ HW_ACCESS_KEY: access !== null, HW_SECRET_KEY: secret !== null }, 'a key');
    throw missing(
      { HW_USER_NAME: Boolean(user), HW_USER_PASSWORD: password !== null, HW_DOMAIN_NAME: Boolean(domain) },
      'a user to log in with',
    );
  }
  const { iam, project, timeoutMs } = settings;
  const login = { iam, user, password: () => new Secret(password.value()), domain, project, timeoutMs, proxies: proxiesOf(environment) };
  return new TokenCredentials(login, { clock, ...(admit && { admit }), ...(onToken && { onToken }) });
}

function foundToken(setting: Setting): () => Found {
  return foundOnce([setting], ([token = '']) => tokenProof(token));
}

function foundKey(accessKey: Setting, secretKey: Setting, temporary: Setting | null, clock: Pick<Clock, 'now'>): () => Found {
  return foundOnce(temporary ? [accessKey, secretKey, temporary] : [accessKey, secretKey], ([access = '', secret = '', securityToken]) => ({
    secrets: [secret, ...(securityToken === undefined ? [] : [securityToken])],
    sign: (request) =>
      signRequest(
        { method: request.method, url: request.url, headers: Object.fromEntries(request.headers), body: request.body ?? '' },
        { access, secret, ...(securityToken !== undefined && { securityToken }) },
        new Date(clock.now()),
      ),
  }));
}

/**
 * Returns what finds the proof that `settings` make. It is made when one of them has changed, not for each call: a token can have
 * thousands of characters. Throws like `check`.
 */
function foundOnce(settings: readonly Setting[], proofOf: (texts: readonly string[]) => Proof): () => Found {
  let last: { readonly texts: readonly string[]; readonly found: Found } | null = null;
  return () => {
    const texts = settings.map((setting) => setting.value());
    if (last?.texts.every((text, index) => text === texts[index])) return last.found;
    for (const [index, text] of texts.entries()) check(settings[index]?.name ?? '', text);
    last = { texts, found: { proof: proofOf(texts), fingerprint: fingerprintOf(texts) } };
    return last.found;
  };
}

/** Tells credentials apart without keeping a second copy of them. */
function fingerprintOf(parts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}

/** Throws a CredentialsError for a text that cannot be sent; `name` is the setting that it is of. */
function check(name: string, text: string): void {
  if (isHeaderValue(text)) return;
  throw new CredentialsError(
    `${name} holds ${text === '' ? 'nothing' : 'a space, a line break or another character that cannot be sent'}`,
    {
      code: 'CREDENTIALS_UNREADABLE',
    },
  );
}

/** At the start a mistake is said at once; later, when a file changes, it is waited for. */
function checkNow(setting: Setting, hint: string): void {
  try {
    check(setting.name, setting.value());
  } catch (error) {
    if (error instanceof CredentialsError) throw new EdictError('CREDENTIALS_INVALID', error.message, { hint });
    throw error;
  }
}

const waysToCall =
  'set HW_AUTH_TOKEN (a token), or HW_ACCESS_KEY and HW_SECRET_KEY (a key), or HW_USER_NAME, HW_USER_PASSWORD and HW_DOMAIN_NAME (a user to log in with)';

function missing(has: Readonly<Record<string, boolean>>, what: string): EdictError {
  const absent = Object.keys(has).filter((name) => !has[name]);
  if (absent.length === Object.keys(has).length) {
    return new EdictError('CREDENTIALS_MISSING', 'there are no credentials: no token, no key and no user is set', { hint: waysToCall });
  }
  const list = new Intl.ListFormat('en-GB').format(absent);
  return new EdictError('CREDENTIALS_MISSING', `the credentials are incomplete: ${list} ${absent.length === 1 ? 'is' : 'are'} not set`, {
    hint: `set ${list} too (${what}), or other credentials: ${waysToCall}`,
  });
}
