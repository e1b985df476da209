import { isIP } from 'node:net';

/** Why a request is refused. */
export interface RequestRejection {
  readonly status: 403 | 421;
  readonly message: string;
  readonly hint: string;
}

/** What of a request says where it comes from. */
export interface RequestOrigin {
  /** The name under which the server was called, without port. */
  readonly hostname: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

/**
 * Returns why a request must not be answered; `null` if nothing speaks against it. A page of another site that has its name
 * point here (DNS rebinding) calls under a name that is not one of `names`, and one that calls us by our own name says so.
 */
export function checkOrigin({ hostname, headers }: RequestOrigin, names: ReadonlySet<string>): RequestRejection | null {
  const name = hostname.replace(/^\[|\]$/g, '');
  if (isIP(name) === 0 && name !== 'localhost' && !names.has(name)) {
    const hint = 'name it in EDICT_HOSTS where the daemon runs, or call the daemon by its address';
    return { status: 421, message: `this daemon is not known as ${name}`, hint };
  }
  const site = headers['sec-fetch-site'];
  const isForeign = site === 'cross-site' || site === 'same-site' || isCrossOrigin(headers['origin'], headers['host']);
  // To follow a link to the page is what everybody may do: the other site sees nothing of it.
  if (isForeign && headers['sec-fetch-mode'] !== 'navigate') {
    return { status: 403, message: 'a page of another site has sent this', hint: 'open the daemon’s own page' };
  }
  return null;
}

function isCrossOrigin(origin: string | string[] | undefined, host: string | string[] | undefined): boolean {
  if (origin === undefined) return false;
  return !URL.canParse(String(origin)) || new URL(String(origin)).host !== host;
}
