import { EdictError } from '../core/errors.ts';
import type { GatewaySettings } from '../core/publication.ts';
import { TokenCredentials } from './auth-token.ts';
import { type Credentials, givenToken, isHeaderValue } from './credentials.ts';
import { Secret } from './secret.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Returns the credentials that `environment` holds: the token HW_AUTH_TOKEN, else a login with HW_USER_NAME,
 * HW_USER_PASSWORD and HW_DOMAIN_NAME for the gateway's project. Makes no call.
 *
 * Throws an EdictError: `CREDENTIALS_MISSING` if it holds neither, `CREDENTIALS_INVALID` if the token can be none.
 */
export function openCredentials(environment: Environment, settings: Pick<GatewaySettings, 'iam' | 'project' | 'timeoutMs'>): Credentials {
  const token = environment['HW_AUTH_TOKEN']?.trim();
  if (token) {
    if (isHeaderValue(token)) return givenToken(new Secret(token));
    throw new EdictError(
      'CREDENTIALS_INVALID',
      'HW_AUTH_TOKEN is not a token: it holds a space, a line break or another character that no token has',
      {
        hint: 'set HW_AUTH_TOKEN to the value of the X-Subject-Token header alone',
      },
    );
  }
  const { HW_USER_NAME: user, HW_USER_PASSWORD: password, HW_DOMAIN_NAME: domain } = environment;
  if (!user || !password || !domain) throw missing({ HW_USER_NAME: user, HW_USER_PASSWORD: password, HW_DOMAIN_NAME: domain });
  const { iam, project, timeoutMs } = settings;
  return new TokenCredentials({ iam, user, password: new Secret(password), domain, project, timeoutMs }, { clock: { now: Date.now } });
}

function missing(login: Environment): EdictError {
  const names = Object.keys(login);
  const absent = names.filter((name) => !login[name]);
  const message =
    absent.length === names.length
      ? 'there are no credentials: neither HW_AUTH_TOKEN nor a user is set'
      : `the credentials are incomplete: ${listed(absent)} ${absent.length === 1 ? 'is' : 'are'} not set`;
  return new EdictError('CREDENTIALS_MISSING', message, {
    hint: `set HW_AUTH_TOKEN (a token), or ${listed(absent)} (a user to log in with)`,
  });
}

function listed(names: readonly string[]): string {
  return new Intl.ListFormat('en-GB').format(names);
}
