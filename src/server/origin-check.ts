import { isIP } from 'node:net';
import { visible } from '../model/visible.ts';

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
    const hint = 'add it to EDICT_HOSTS where the daemon runs, or use the address of the daemon';
    return { status: 421, message: `${visible(name)} is not an allowed host name of this daemon`, hint };
  }
  const fetchSite = headers['sec-fetch-site'];
  const isFromOtherSite = fetchSite === 'cross-site' || fetchSite === 'same-site' || isCrossOrigin(headers['origin'], headers['host']);
  // Following a link to the page is allowed: the other site cannot read the response.
  if (isFromOtherSite && headers['sec-fetch-mode'] !== 'navigate') {
    return { status: 403, message: 'the request was sent by a page of another site', hint: 'open the daemon’s own page' };
  }
  return null;
}

function isCrossOrigin(origin: string | string[] | undefined, host: string | string[] | undefined): boolean {
  if (origin === undefined) return false;
  return !URL.canParse(String(origin)) || new URL(String(origin)).host !== host;
}
