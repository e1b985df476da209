import { EdictError } from './errors.ts';
import { directHosts } from './gateway.ts';

/** The variables that an edict file may use, as the documentation names them. */
export const fileVariables = 'HW_PROJECT_ID, HW_REGION_NAME, EDICT_VAR_*';

/**
 * Returns whether an edict file may use a variable. The author of the file is not trusted with others: they may hold secrets, and plans, pages
 * and requests show what is in the file.
 */
export function isFileVariable(name: string): boolean {
  return /^(?:HW_PROJECT_ID|HW_REGION_NAME|EDICT_VAR_[A-Z0-9_]+)$/.test(name);
}

/** A variable that holds a credential. */
export type CredentialVariable =
  | 'HW_ACCESS_KEY'
  | 'HW_SECRET_KEY'
  | 'HW_SECURITY_TOKEN'
  | 'HW_USER_PASSWORD'
  | 'HW_AUTH_TOKEN'
  | 'HUAWEICLOUD_SDK_AK'
  | 'HUAWEICLOUD_SDK_SK'
  | 'HUAWEICLOUD_SDK_SECURITY_TOKEN'
  | 'HC_CONTAINER_AUTHORIZATION_TOKEN'
  | 'EDICT_STATE'
  | 'EDICT_TOKEN'
  | 'EDICT_READ_TOKEN'
  | 'EDICT_WEBHOOK_URL'
  | 'EDICT_WEBHOOK_SECRET'
  | 'PGPASSWORD';

/** The environment variables of the process. Only `main` and `app` read them and pass on what other folders need. */
export type Env = Readonly<Record<string, string | undefined>>;

/** Returns `env` with the project under its own name, HW_PROJECT_ID, if it has only that of the vendor's SDKs. */
export function withProjectId(env: Env): Env {
  const { HW_PROJECT_ID: own, HUAWEICLOUD_SDK_PROJECT_ID: ofSdk } = env;
  return own || !ofSdk ? env : { ...env, HW_PROJECT_ID: ofSdk };
}

/** The proxies for outgoing requests. The URLs may contain a password. */
export interface ProxySettings {
  /** Empty: no proxy. */
  readonly httpProxy: string;
  /** Empty: same as `httpProxy`. */
  readonly httpsProxy: string;
  /** Hosts that are reached without a proxy. */
  readonly noProxy: string;
}

/** The emulator and containers in the same pod are never reached through a proxy. */
const defaultNoProxy = directHosts.map((host) => host.replace(/^\[(.*)\]$/, '$1')).join(',');

/**
 * Returns the proxies from HTTPS_PROXY and HTTP_PROXY and the hosts from NO_PROXY; `null` without a proxy. Lower-case names
 * take precedence. Throws an EdictError `PROXY_INVALID` for an invalid proxy URL.
 */
export function parseProxySettings(env: Env): ProxySettings | null {
  const readVariable = (name: string): string => (env[name.toLowerCase()] ?? env[name] ?? '').trim();
  const [httpProxy, httpsProxy] = ['HTTP_PROXY', 'HTTPS_PROXY'].map((name) => checkProxyUrl(name, readVariable(name)));
  if (!httpProxy && !httpsProxy) return null;
  return {
    httpProxy: httpProxy ?? '',
    httpsProxy: httpsProxy ?? '',
    noProxy: [readVariable('NO_PROXY'), defaultNoProxy].filter(Boolean).join(','),
  };
}

function checkProxyUrl(name: string, text: string): string {
  const url = text === '' || text.includes('://') ? text : `http://${text}`;
  if (url === '' || /^https?:$/.test(URL.parse(url)?.protocol ?? '')) return url;
  throw new EdictError('PROXY_INVALID', `${name} is not the address of a proxy`, {
    hint: 'expected http://HOST:PORT, with NAME:PASSWORD@ before the host if it asks',
  });
}
