import { ObservationFailedError } from '../../model/errors.ts';
import type { ObservedApi } from '../../model/observation.ts';
import type { GatewayReader, ListedEnvironment, ReadResult } from '../../model/ports.ts';
import { type RetryReadDeps, retryRead } from '../retry.ts';

/** Everything that a gateway lists. */
export interface GatewayInventory {
  readonly apis: readonly ObservedApi[];
  readonly environments: readonly ListedEnvironment[];
}

/** Returns what the gateway lists, in as few reads as there are pages. Throws an EdictError `OBSERVATION_FAILED` if one stays without an answer. */
export async function readInventory(
  gateway: Pick<GatewayReader, 'listApis' | 'listEnvironments'>,
  deps: RetryReadDeps,
): Promise<GatewayInventory> {
  const read = async <T>(what: string, once: () => Promise<ReadResult<T>>): Promise<T> => {
    const came = await retryRead(once, deps);
    if (came.kind === 'read') return came.value;
    const { code, message, hint } = came.failure;
    throw new ObservationFailedError(`the gateway's ${what} cannot be read: ${code} ${message}`, hint === null ? {} : { hint });
  };
  const environments = await read('environments', () => gateway.listEnvironments(deps.signal));
  const apis = await read('APIs', () => gateway.listApis(deps.signal));
  return { apis: [...apis.values()], environments };
}
