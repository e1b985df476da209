import type { ObservedApi } from '../core/observe.ts';
import type { ListedEnvironment } from '../core/ports.ts';
import { isValidId, isValidName } from './allowed.ts';
import { appendSuffix, assignUniqueNames, type NameCandidates, sanitizeName } from './unique-keys.ts';

/** The environment that every instance has, and where callers usually are. */
export const releaseEnvironmentId = 'DEFAULT_ENVIRONMENT_RELEASE_ID';

/** How many characters of an ID or of a group's name tell two namesakes apart. */
const idSuffixLength = 8;
const groupSuffixLength = 64;

export interface ExportedApi {
  /** What the file calls it. */
  readonly key: string;
  readonly api: ObservedApi;
}

export interface ExportedEnvironment extends ListedEnvironment {
  /** What the file calls it. */
  readonly key: string;
  /** Whether the gateway lists it; if not, an API is said to be published there, or it is the one that always is. */
  readonly isListed: boolean;
}

/** What a list holds under the names of a file, and what a file has no way to name. Sorted by code units. */
export interface NamingResult<Nameable, Nameless> {
  readonly named: readonly Nameable[];
  readonly skipped: readonly Nameless[];
}

/** Returns the APIs under names of their own: the gateway's where it can be, else with the group, else with the ID or a part of it. */
export function assignApiNames(apis: Iterable<ObservedApi>): NamingResult<ExportedApi, ObservedApi> {
  const sorted = [...apis].sort((a, b) => compareCodeUnits(a.name, b.name) || compareCodeUnits(a.apiId, b.apiId));
  const isNameable = ({ apiId }: ObservedApi): boolean => isValidId(apiId);
  const keyless = sorted.filter(isNameable).map((api) => {
    const own = sanitizeName(api.name);
    const group = (sanitizeName(api.group) ?? sanitizeName(api.groupId))?.slice(0, groupSuffixLength).toWellFormed() ?? null;
    const base = own ?? 'api';
    const withGroup = group === null ? null : sanitizeName(appendSuffix(base, group));
    return { api, candidates: [nameIfValid(api.name), own, withGroup, ...idCandidates(base, api.apiId)] } satisfies NameCandidates & {
      api: ObservedApi;
    };
  });
  const named = [...assignUniqueNames(keyless)].map(([{ api }, key]) => ({ key, api }));
  return { named: named.sort((a, b) => compareCodeUnits(a.key, b.key)), skipped: sorted.filter((api) => !isNameable(api)) };
}

/**
 * Returns the environments under short names in small letters where that can be: those that the gateway lists, those where
 * an API is said to be published, and if there is none, the one that every instance has.
 */
export function assignEnvironmentNames(
  listed: readonly ListedEnvironment[],
  published: Iterable<string>,
): NamingResult<ExportedEnvironment, ListedEnvironment> {
  const byId = new Map<string, ListedEnvironment & { readonly isListed: boolean }>();
  for (const { id, name } of [...listed].sort((a, b) => compareCodeUnits(a.name, b.name))) byId.set(id, { id, name, isListed: true });
  for (const id of published) if (!byId.has(id)) byId.set(id, { id, name: '', isListed: false });
  if (![...byId.keys()].some(isValidId)) byId.set(releaseEnvironmentId, { id: releaseEnvironmentId, name: 'RELEASE', isListed: false });
  const sorted = [...byId.values()].sort((a, b) => compareCodeUnits(a.name, b.name) || compareCodeUnits(a.id, b.id));
  const keyless = sorted
    .filter(({ id }) => isValidId(id))
    .map((environment) => {
      const { id, name } = environment;
      const short = sanitizeName(name.toLowerCase());
      const base = short ?? 'environment';
      return {
        environment,
        candidates: [nameIfValid(name.toLowerCase()), nameIfValid(name), short, sanitizeName(name), ...idCandidates(base, id)],
      } as const;
    });
  const named = [...assignUniqueNames(keyless)].map(([{ environment }, key]) => ({ key, ...environment }));
  return { named: named.sort((a, b) => compareCodeUnits(a.key, b.key)), skipped: sorted.filter(({ id }) => !isValidId(id)) };
}

function nameIfValid(name: string): string | null {
  return isValidName(name) ? name : null;
}

function idCandidates(base: string, id: string): readonly [string, string] {
  return [appendSuffix(base, id.slice(0, idSuffixLength)), appendSuffix(base, id)];
}

/** Orders by code unit, so that the order does not depend on a machine's locale. */
function compareCodeUnits(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
