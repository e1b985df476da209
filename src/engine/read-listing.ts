import { EdictError } from '../core/errors.ts';
import type { ObservedApi } from '../core/observe.ts';
import type { GatewayReader, ListedEnvironment, Read } from '../core/ports.ts';
import { type PatienceDeps, patiently } from './patient-read.ts';

/** Everything that a gateway lists. */
export interface Listing {
  readonly apis: readonly ObservedApi[];
  readonly environments: readonly ListedEnvironment[];
}

/** Returns what the gateway lists, in as few reads as there are pages. Throws an EdictError `UNSEEN` if one stays without an answer. */
export async function readListing(gateway: Pick<GatewayReader, 'apis' | 'environments'>, deps: PatienceDeps): Promise<Listing> {
  const read = async <T>(what: string, once: () => Promise<Read<T>>): Promise<T> => {
    const came = await patiently(once, deps);
    if (came.kind === 'read') return came.value;
    const { code, message, hint } = came.failure;
    throw new EdictError('UNSEEN', `the gateway's ${what} cannot be read: ${code} ${message}`, hint === null ? {} : { hint });
  };
  const environments = await read('environments', () => gateway.environments(deps.signal));
  const apis = await read('APIs', () => gateway.apis(deps.signal));
  return { apis: [...apis.values()], environments };
}
