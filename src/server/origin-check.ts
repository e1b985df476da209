import { isIP } from 'node:net';

/** Why a request is rejected. */
export interface RequestRejection {
  readonly status: 403 | 421;
  readonly message: string;
  readonly hint: string;
}

/** The parts of a request that show its origin. */
export interface RequestOrigin {
  /** The host name in the request, without port. */
  readonly hostname: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

/**
 * Returns why a request must be rejected; `null` if it is allowed. In a DNS rebinding attack the host is not in `names`. A page of another
 * site that uses an allowed host is recognized by its fetch metadata or `Origin`.
 */
export function checkOrigin({ hostname, headers }: RequestOrigin, names: ReadonlySet<string>): RequestRejection | null {
  const name = hostname.replace(/^\[|\]$/g, '');
  if (isIP(name) === 0 && name !== 'localhost' && !names.has(name)) {
    const hint = 'name it in EDICT_HOSTS where the daemon runs, or call the daemon by its address';
    return { status: 421, message: `this daemon is not known as ${name}`, hint };
  }
  const fetchSite = headers['sec-fetch-site'];
  const isFromOtherSite = fetchSite === 'cross-site' || fetchSite === 'same-site' || isCrossOrigin(headers['origin'], headers['host']);
  // Following a link to the page is allowed: the other site cannot read the response.
  if (isFromOtherSite && headers['sec-fetch-mode'] !== 'navigate') {
    return { status: 403, message: 'a page of another site has sent this', hint: 'open the daemon’s own page' };
  }
  return null;
}

function isCrossOrigin(origin: string | string[] | undefined, host: string | string[] | undefined): boolean {
  if (origin === undefined) return false;
  return !URL.canParse(String(origin)) || new URL(String(origin)).host !== host;
}
