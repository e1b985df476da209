import type { ObservedApi } from '../core/observe.ts';
import type { ListedEnvironment } from '../core/ports.ts';
import { isId, isName } from './allowed.ts';
import { type Keyless, nameFrom, uniqueKeys, withSuffix } from './unique-keys.ts';

/** The environment that every instance has, and where callers usually are. */
export const releaseId = 'DEFAULT_ENVIRONMENT_RELEASE_ID';

/** How many characters of an ID or of a group's name tell two namesakes apart. */
const idPart = 8;
const groupPart = 64;

export interface NamedApi {
  /** What the file calls it. */
  readonly key: string;
  readonly api: ObservedApi;
}

export interface NamedEnvironment extends ListedEnvironment {
  /** What the file calls it. */
  readonly key: string;
  /** Whether the gateway lists it; if not, an API is said to be published there, or it is the one that always is. */
  readonly isListed: boolean;
}

/** What a list holds under the names of a file, and what a file has no way to name. Sorted by code units. */
export interface Named<Nameable, Nameless> {
  readonly named: readonly Nameable[];
  readonly nameless: readonly Nameless[];
}

/** Returns the APIs under names of their own: the gateway's where it can be, else with the group, else with the ID or a part of it. */
export function nameApis(apis: Iterable<ObservedApi>): Named<NamedApi, ObservedApi> {
  const sorted = [...apis].sort((a, b) => byText(a.name, b.name) || byText(a.apiId, b.apiId));
  const isNameable = ({ apiId }: ObservedApi): boolean => isId(apiId);
  const keyless = sorted.filter(isNameable).map((api) => {
    const own = nameFrom(api.name);
    const group = (nameFrom(api.group) ?? nameFrom(api.groupId))?.slice(0, groupPart).toWellFormed() ?? null;
    const base = own ?? 'api';
    const withGroup = group === null ? null : nameFrom(withSuffix(base, group));
    return { api, candidates: [exact(api.name), own, withGroup, ...withId(base, api.apiId)] } satisfies Keyless & { api: ObservedApi };
  });
  const named = [...uniqueKeys(keyless)].map(([{ api }, key]) => ({ key, api }));
  return { named: named.sort((a, b) => byText(a.key, b.key)), nameless: sorted.filter((api) => !isNameable(api)) };
}

/**
 * Returns the environments under short names in small letters where that can be: those that the gateway lists, those where
 * an API is said to be published, and if there is none, the one that every instance has.
 */
export function nameEnvironments(
  listed: readonly ListedEnvironment[],
  published: Iterable<string>,
): Named<NamedEnvironment, ListedEnvironment> {
  const byId = new Map<string, ListedEnvironment & { readonly isListed: boolean }>();
  for (const { id, name } of [...listed].sort((a, b) => byText(a.name, b.name))) byId.set(id, { id, name, isListed: true });
  for (const id of published) if (!byId.has(id)) byId.set(id, { id, name: '', isListed: false });
  if (![...byId.keys()].some(isId)) byId.set(releaseId, { id: releaseId, name: 'RELEASE', isListed: false });
  const sorted = [...byId.values()].sort((a, b) => byText(a.name, b.name) || byText(a.id, b.id));
  const keyless = sorted
    .filter(({ id }) => isId(id))
    .map((environment) => {
      const { id, name } = environment;
      const short = nameFrom(name.toLowerCase());
      const base = short ?? 'environment';
      return { environment, candidates: [exact(name.toLowerCase()), exact(name), short, nameFrom(name), ...withId(base, id)] } as const;
    });
  const named = [...uniqueKeys(keyless)].map(([{ environment }, key]) => ({ key, ...environment }));
  return { named: named.sort((a, b) => byText(a.key, b.key)), nameless: sorted.filter(({ id }) => !isId(id)) };
}

function exact(name: string): string | null {
  return isName(name) ? name : null;
}

function withId(base: string, id: string): readonly [string, string] {
  return [withSuffix(base, id.slice(0, idPart)), withSuffix(base, id)];
}

/** Orders by code unit, so that the order does not depend on a machine's locale. */
function byText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
