/** At most `calls` requests in any window of `perMs` milliseconds. */
export interface RateLimit {
  readonly calls: number;
  readonly perMs: number;
}

/** Identifies one ROMA Connect instance in the store. */
export interface GatewayIdentity {
  readonly endpoint: string;
  readonly project: string;
  readonly instance: string;
}

/** Where credentials for a gateway are sent, and for which one. */
export interface GatewayAddress extends GatewayIdentity {
  /** The identity service's URL, which issues tokens; `null` if the file names none and the endpoint implies none. */
  readonly iamEndpoint: string | null;
}

/** A followed file that named another gateway before, or a new one. It is held until a person approves the gateway. */
export interface GatewayMove {
  /** `null`: the file is new in a followed folder, or was changed while no daemon ran. */
  readonly from: GatewayAddress | null;
  readonly isApproved: boolean;
}

/** At most `calls` requests in any window of `perMs`, and at most `concurrency` in flight. */
export interface RequestLimits {
  readonly calls: number;
  readonly perMs: number;
  readonly concurrency: number;
}

/** The services that edict publishes at: ROMA Connect and API Gateway. Both have the same operations. */
export type GatewayService = 'roma' | 'apig';

export interface GatewaySettings extends GatewayAddress {
  readonly service: GatewayService;
  readonly limit: RequestLimits;
  readonly timeoutMs: number;
  /** Whether the remark of each `online` call carries its attempt's marker. */
  readonly isMarkerEnabled: boolean;
  /** Whether an `online` call with unknown outcome is retried or held if the gateway cannot resolve it. */
  readonly unknownOutcome: 'retry' | 'hold';
  /** How long a change may take to appear in the gateway's lists, in milliseconds. */
  readonly propagationDelayMs: number;
  /** Maximum number of changes per call; 1: no batching. */
  readonly batchSize: number;
}

/**
 * Returns the identity service of the region of a gateway's endpoint; `null` for an endpoint that is not the vendor's: a password must not go to a
 * host that nobody named. In eu-west-101 the vendor's hosts end with `.eu` (its list of regions and endpoints).
 */
export function defaultIamEndpoint(endpoint: string): string | null {
  const [, name] = vendorGateway.exec(endpoint) ?? [];
  if (name === undefined) return null;
  return `https://iam.${name}.myhuaweicloud.${name === 'eu-west-101' ? 'eu' : 'com'}`;
}

/** Returns the part of a gateway's settings that says where credentials go. */
export function addressOf({ endpoint, iamEndpoint, project, instance }: GatewayAddress): GatewayAddress {
  return { endpoint, iamEndpoint, project, instance };
}

/** Returns whether two addresses are the same. */
export function isSameAddress(one: GatewayAddress, other: GatewayAddress): boolean {
  return JSON.stringify(addressOf(one)) === JSON.stringify(addressOf(other));
}

/** The most entries that the service gives in one page of a list. */
export const listPageSize = 500;

/** A region of the vendor, such as `cn-north-4` or `eu-west-101`. A bucket of a customer has a host name of the vendor too, without one. */
const region = '[a-z]{2}-[a-z]+-\\d+';

/** The hosts of the vendor that credentials are for. */
const vendorHost = new RegExp(`^(?:(?:roma|apig|iam)\\.${region}|iam)\\.myhuaweicloud\\.(?:com|eu)$`);

/** The endpoint of a gateway of the vendor, with its region. */
const vendorGateway = new RegExp(`^https://(?:roma|apig)\\.(${region})\\.myhuaweicloud\\.(?:com|eu)$`);

/** Returns the endpoint of a service in a region. In eu-west-101 the vendor's hosts of API Gateway end with `.eu` (its list of regions and endpoints). */
export function endpointIn(region: string, service: GatewayService): string {
  const domain = service === 'apig' && region === 'eu-west-101' ? 'eu' : 'com';
  return `https://${service}.${region}.myhuaweicloud.${domain}`;
}

/** Returns the service that an endpoint of the vendor belongs to; `null` for any other endpoint. */
export function serviceOf(endpoint: string): GatewayService | null {
  if (!vendorGateway.test(endpoint)) return null;
  return endpoint.startsWith('https://apig.') ? 'apig' : 'roma';
}

/** Names of this machine, as `URL.hostname` gives them, that are never reached through a proxy. */
export const directHosts: readonly string[] = ['localhost', '127.0.0.1', '[::1]'];

/** Returns whether the host of a URL, as `URL.hostname` gives it, is this machine. */
export function isLoopbackHost(hostname: string): boolean {
  return /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(hostname);
}

/**
 * Returns the origin, such as `https://roma.example.com:8443`, that an allowed host names: `HOST`, `HOST:PORT`, or `http://HOST:PORT` for one
 * without TLS. Returns `null` for any other text, such as one with a path or a wildcard.
 */
export function parseAllowedHost(text: string): string | null {
  if (!/^(?:https?:\/\/)?[^\s/?#@\\*]+\/?$/i.test(text)) return null;
  return URL.parse(text.includes('://') ? text : `https://${text}`)?.origin ?? null;
}

/** Returns the shortest text that `parseAllowedHost` turns into `origin`. */
export function formatAllowedHost(origin: string): string {
  return origin.replace(/^https:\/\//, '');
}

/**
 * Returns whether credentials may be sent to `origin`. The author of a file, who names the endpoint, is not trusted with them.
 *
 * | host                                    | https    | http     |
 * |-----------------------------------------|----------|----------|
 * | in `allowed`, with this scheme and port | yes      | yes      |
 * | `directHosts`, any port                 | yes      | yes      |
 * | `roma.`, `apig.`, `iam.` of the vendor  | port 443 | no       |
 * | any other                               | no       | no       |
 */
export function isAllowedHost(origin: string, allowed: readonly string[]): boolean {
  const { protocol, hostname, port } = new URL(origin);
  // Other addresses of this machine, such as 127.0.0.2, may be sent to a proxy, which would read a token that goes by http.
  if (allowed.includes(origin) || directHosts.includes(hostname)) return true;
  return protocol === 'https:' && port === '' && vendorHost.test(hostname);
}
