import { EdictError } from './errors.ts';

/** What requests leave through. The addresses may hold a password. */
export interface ProxySettings {
  /** Empty: none. */
  readonly httpProxy: string;
  /** Empty: as `httpProxy`. */
  readonly httpsProxy: string;
  /** The hosts that are asked without a proxy. */
  readonly noProxy: string;
}

/** The emulator and a sidecar's neighbour are nobody's to proxy. */
const defaultNoProxy = 'localhost,127.0.0.1,::1';

/**
 * Returns the proxies that HTTPS_PROXY and HTTP_PROXY name and the hosts in NO_PROXY, also in lower case, which counts first; `null`: there is
 * none. Throws an EdictError `PROXY_INVALID` for what is no proxy's address.
 */
export function parseProxySettings(environment: Readonly<Record<string, string | undefined>>): ProxySettings | null {
  const setting = (name: string): string => (environment[name.toLowerCase()] ?? environment[name] ?? '').trim();
  const [httpProxy, httpsProxy] = ['HTTP_PROXY', 'HTTPS_PROXY'].map((name) => checkProxyUrl(name, setting(name)));
  if (!httpProxy && !httpsProxy) return null;
  return {
    httpProxy: httpProxy ?? '',
    httpsProxy: httpsProxy ?? '',
    noProxy: [setting('NO_PROXY'), defaultNoProxy].filter(Boolean).join(','),
  };
}

function checkProxyUrl(name: string, text: string): string {
  const address = text === '' || text.includes('://') ? text : `http://${text}`;
  if (address === '' || /^https?:$/.test(URL.parse(address)?.protocol ?? '')) return address;
  throw new EdictError('PROXY_INVALID', `${name} is not the address of a proxy`, {
    hint: 'expected http://HOST:PORT, with NAME:PASSWORD@ before the host if it asks',
  });
}
