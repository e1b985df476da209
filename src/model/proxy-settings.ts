import type { Env } from './env.ts';
import { EdictError } from './errors.ts';

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
const defaultNoProxy = 'localhost,127.0.0.1,::1';

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
