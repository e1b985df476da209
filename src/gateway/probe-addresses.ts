import { lookup as lookUp } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';

/** The author of a file, who names the URL of a probe, must not reach with it what only this machine or its network can reach. */
export class ProbeRefusedError extends Error {
  constructor(host: string) {
    super(`${host} is this machine, or in a private network; to allow it: --allow-probe-host ${host}`);
    this.name = 'ProbeRefusedError';
  }
}

/** Unspecified, private (RFC 1918, carrier-grade NAT, benchmarks), loopback, link-local, multicast and reserved addresses. */
const internalIpv4 = [
  ...['0.0.0.0/8', '10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16', '172.16.0.0/12', '192.0.0.0/24', '192.168.0.0/16'],
  ...['198.18.0.0/15', '224.0.0.0/4', '240.0.0.0/4'],
];

/** The same of IPv6, with 6to4 and the local prefix of NAT64, which lead to any address of IPv4. */
const internalIpv6 = ['::/127', 'fe80::/10', 'fec0::/10', 'fc00::/7', 'ff00::/8', '2002::/16', '64:ff9b:1::/48'];

const internal = new BlockList();
for (const subnet of internalIpv4) {
  const [address = '', bits = ''] = subnet.split('/');
  internal.addSubnet(address, Number(bits), 'ipv4');
  // NAT64 and the deprecated form of mapped addresses; a BlockList itself knows the usual one.
  for (const prefix of ['64:ff9b::', '::']) internal.addSubnet(prefix + address, 96 + Number(bits), 'ipv6');
}
for (const subnet of internalIpv6) {
  const [address = '', bits = ''] = subnet.split('/');
  internal.addSubnet(address, Number(bits), 'ipv6');
}

/** Returns whether an IP address is in this machine or its network. */
export function isInternalAddress(address: string): boolean {
  const [ip = ''] = address.split('%');
  return internal.check(ip, isIP(ip) === 6 ? 'ipv6' : 'ipv4');
}

/** Throws a ProbeRefusedError if the host of a URL is an internal address, or `localhost`, and not in `allowedHosts`. */
export function assertProbeHost(url: string, allowedHosts: readonly string[]): void {
  const { hostname } = new URL(url);
  if (allowedHosts.includes(hostname)) return;
  const host = hostname.replace(/^\[|\]$/g, '');
  const isInternal = isIP(host) === 0 ? /^(?:.*\.)?localhost\.?$/.test(host) : isInternalAddress(host);
  if (isInternal) throw new ProbeRefusedError(hostname);
}

/**
 * Returns a `lookup` for connections that gives a ProbeRefusedError if one of the addresses of a name is internal, unless the name is in
 * `allowedHosts`. The connection is made to the addresses that were checked: another look-up might give others.
 */
export function createCheckedLookup(allowedHosts: readonly string[], resolve: typeof lookUp = lookUp): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname, { ...options, all: true }, (error, addresses) => {
      const isRefused = error === null && !allowedHosts.includes(hostname) && addresses.some(({ address }) => isInternalAddress(address));
      if (error !== null || isRefused) callback(error ?? new ProbeRefusedError(hostname), '');
      else if (options.all) callback(null, addresses);
      else callback(null, addresses[0]?.address ?? '', addresses[0]?.family);
    });
  };
}

/** How long a name may take to be resolved on this machine before a proxy is asked with it, in milliseconds. */
const resolveTimeoutMs = 2000;

/**
 * Rejects with a ProbeRefusedError if this machine resolves the host of a URL to an internal address, unless the host is in `allowedHosts`: the host
 * is about to be named to a proxy, which makes the connection. Behind a proxy a machine may resolve no names of others, so one that it
 * cannot resolve, or not in time, is left to the proxy.
 */
export async function assertProbeHostForProxy(
  url: string,
  allowedHosts: readonly string[],
  resolve: typeof lookUp = lookUp,
): Promise<void> {
  const { hostname } = new URL(url);
  if (isIP(hostname.replace(/^\[|\]$/g, '')) !== 0) return;
  const { promise, resolve: onAnswer } = Promise.withResolvers<Error | null>();
  const timer = setTimeout(onAnswer, resolveTimeoutMs, null);
  createCheckedLookup(allowedHosts, resolve)(hostname, { all: true }, onAnswer);
  const error = await promise;
  clearTimeout(timer);
  if (error instanceof ProbeRefusedError) throw error;
}
