/** What the file calls by its name at the gateway, having no ID for it. */
export interface NameRef {
  readonly kind: 'api' | 'environment';
  readonly name: string;
  /** The name or ID of the API's group; `null`: of any. */
  readonly group: string | null;
}

declare const brand: unique symbol;

/** Stands for a name in maps and in the store. Made by `nameKey` alone. */
export type NameKey = string & { readonly [brand]: 'NameKey' };

/** Returns the key of a name. */
export function nameKey({ kind, name, group }: NameRef): NameKey {
  return JSON.stringify([kind, name, group]) as NameKey;
}

/** Something at the gateway that has a name. `groupId` and `group` are empty for an environment. */
export interface NamedResource {
  readonly id: string;
  readonly name: string;
  readonly groupId: string;
  readonly group: string;
}

/** What a name turned out to mean: one ID, or none. */
export type NameResolution =
  | { readonly kind: 'one'; readonly id: string }
  /** `others`: what else there is, by name. */
  | { readonly kind: 'none'; readonly available: readonly NamedResource[] }
  | { readonly kind: 'several'; readonly candidates: readonly NamedResource[] };

export type NameResolutions = ReadonlyMap<NameKey, NameResolution>;

/** Returns what `wanted` means among everything of its kind at the gateway: the exact name, within the group if one is given. */
export function resolveName(wanted: NameRef, all: readonly NamedResource[]): NameResolution {
  const candidates = all.filter((one) => matchesName(one, wanted));
  const [only] = candidates;
  if (only && candidates.length === 1) return { kind: 'one', id: only.id };
  return candidates.length === 0 ? { kind: 'none', available: all } : { kind: 'several', candidates };
}

/** Returns whether `one` is what `wanted` calls by its name. */
export function matchesName(one: NamedResource, { name, group }: NameRef): boolean {
  return one.name === name && (group === null || one.group === group || one.groupId === group);
}
