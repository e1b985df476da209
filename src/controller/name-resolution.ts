import type { GatewayReader } from '../gateway/interface.ts';
import { NamesUnresolvedError } from '../model/errors.ts';
import { type NamedResource, type NameKey, type NameRef, type NameResolutions, nameKey, nameResolver } from '../model/name-ref.ts';
import type { ReadResult } from '../model/outcome.ts';
import { listFailed, unobservedBecause } from './observe/confirmation.ts';

export interface ResolveNamesDeps {
  readonly gateway: Pick<GatewayReader, 'listApis' | 'listEnvironments'>;
  /** IDs of names resolved before. A name keeps its ID even if another resource has that name now. */
  readonly knownIds: ReadonlyMap<NameKey, string>;
  readonly signal: AbortSignal;
}

/**
 * Resolves `names` to IDs. The gateway is read only if a name has not been resolved before.
 *
 * @throws EdictError `NAMES_UNRESOLVED` if the gateway cannot be read
 */
export async function resolveNames(names: readonly NameRef[], { gateway, knownIds, signal }: ResolveNamesDeps): Promise<NameResolutions> {
  const isNew = (kind: NameRef['kind']): boolean => names.some((name) => name.kind === kind && !knownIds.has(nameKey(name)));
  const apis = isNew('api') ? valueOrThrow('APIs', await gateway.listApis(signal)) : new Map<string, never>();
  const environments = isNew('environment') ? valueOrThrow('environments', await gateway.listEnvironments(signal)) : [];
  const all: Readonly<Record<NameRef['kind'], readonly NamedResource[]>> = {
    api: [...apis.values()].map(({ apiId, name, groupId, group }) => ({ id: apiId, name, groupId, group })),
    environment: environments.map(({ id, name }) => ({ id, name, groupId: '', group: '' })),
  };
  const resolve = { api: nameResolver(all.api), environment: nameResolver(all.environment) };
  return new Map(
    names.map((name) => {
      const id = knownIds.get(nameKey(name));
      if (id !== undefined) return [nameKey(name), { kind: 'one', id }];
      return [nameKey(name), resolve[name.kind](name)];
    }),
  );
}

/** Returns the IDs of the names that resolved to exactly one resource, to be stored. */
export function resolvedIds(resolutions: NameResolutions): Map<NameKey, string> {
  return new Map([...resolutions].flatMap(([key, resolution]) => (resolution.kind === 'one' ? [[key, resolution.id]] : [])));
}

function valueOrThrow<T>(what: 'APIs' | 'environments', read: ReadResult<T>): T {
  if (read.kind === 'read') return read.value;
  const failed = listFailed(read);
  const unobserved = unobservedBecause(failed, what);
  const { hint } = read.failure;
  // The gateway's hint for a refusal is about publishing.
  throw new NamesUnresolvedError(failed.isRefused || hint === null ? unobserved : { ...unobserved, remedy: hint }, failed);
}
