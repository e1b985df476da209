import type { GatewayReader } from '../../gateway/interface.ts';
import { ObservationFailedError } from '../../model/errors.ts';
import type { ListedEnvironment, ObservedApi } from '../../model/observation.ts';
import type { ReadResult } from '../../model/outcome.ts';
import { type RetryReadDeps, retryRead } from '../retry.ts';

/** All APIs and environments that a gateway lists. */
export interface GatewayInventory {
  readonly apis: readonly ObservedApi[];
  readonly environments: readonly ListedEnvironment[];
}

/** Reads the gateway's APIs and environments, one request a page. Throws an EdictError `OBSERVATION_FAILED` if a list cannot be read. */
export async function readInventory(
  gateway: Pick<GatewayReader, 'listApis' | 'listEnvironments'>,
  deps: RetryReadDeps,
): Promise<GatewayInventory> {
  const read = async <T>(what: string, readOnce: () => Promise<ReadResult<T>>): Promise<T> => {
    const result = await retryRead(readOnce, deps);
    if (result.kind === 'read') return result.value;
    const { code, message, hint } = result.failure;
    throw new ObservationFailedError(`the gateway's ${what} cannot be read: ${code} ${message}`, hint === null ? {} : { hint });
  };
  const environments = await read('environments', () => gateway.listEnvironments(deps.signal));
  const apis = await read('APIs', () => gateway.listApis(deps.signal));
  return { apis: [...apis.values()], environments };
}
