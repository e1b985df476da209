import { EdictError } from '../core/errors.ts';
import { type Meanings, meaningOf, type Name, type Nameable, type NameKey, nameKey } from '../core/names.ts';
import type { GatewayReader, Read } from '../core/ports.ts';

export interface LookUpDeps {
  readonly gateway: Pick<GatewayReader, 'apis' | 'environments'>;
  /** What names were found to mean before. They keep their IDs, whatever has the name by now. */
  readonly remembered: ReadonlyMap<NameKey, string>;
  readonly signal: AbortSignal;
}

/**
 * Returns what `names` mean at the gateway, which is asked only for names that were never found before.
 *
 * @throws EdictError `NAMES_UNKNOWN` if the gateway cannot be asked
 */
export async function lookUp(names: readonly Name[], { gateway, remembered, signal }: LookUpDeps): Promise<Meanings> {
  const isNew = (kind: Name['of']): boolean => names.some((name) => name.of === kind && !remembered.has(nameKey(name)));
  const apis = isNew('api') ? answered(await gateway.apis(signal)) : new Map<string, never>();
  const environments = isNew('environment') ? answered(await gateway.environments(signal)) : [];
  const all: Readonly<Record<Name['of'], readonly Nameable[]>> = {
    api: [...apis.values()].map(({ apiId, name, groupId, group }) => ({ id: apiId, name, groupId, group })),
    environment: environments.map(({ id, name }) => ({ id, name, groupId: '', group: '' })),
  };
  return new Map(
    names.map((name) => {
      const id = remembered.get(nameKey(name));
      return [nameKey(name), id === undefined ? meaningOf(name, all[name.of]) : { kind: 'one', id }];
    }),
  );
}

/** Returns the IDs that are worth remembering. */
export function found(meanings: Meanings): Map<NameKey, string> {
  return new Map([...meanings].flatMap(([key, meaning]) => (meaning.kind === 'one' ? [[key, meaning.id]] : [])));
}

function answered<T>(read: Read<T>): T {
  if (read.kind === 'read') return read.value;
  const { code, message, hint } = read.failure;
  throw new EdictError('NAMES_UNKNOWN', `the file has names without IDs, and the gateway cannot be asked for them: ${code} ${message}`, {
    hint: hint ?? 'try again later, or write the IDs into the file',
  });
}
