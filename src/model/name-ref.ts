/** A reference to an API or environment by its name at the gateway, where the file gives no ID. */
export interface NameRef {
  readonly kind: 'api' | 'environment';
  readonly name: string;
  /** The name or ID of the API's group; `null`: any group. */
  readonly group: string | null;
}

declare const brand: unique symbol;

/** Identifies a name reference in maps and in the store. Made only by `nameKey`. */
export type NameKey = string & { readonly [brand]: 'NameKey' };

/** Returns the key of a name reference. */
export function nameKey({ kind, name, group }: NameRef): NameKey {
  return JSON.stringify([kind, name, group]) as NameKey;
}

/** An API or environment at the gateway. `groupId` and `group` are empty for an environment. */
export interface NamedResource {
  readonly id: string;
  readonly name: string;
  readonly groupId: string;
  readonly group: string;
}

/** The result of resolving a name: one ID, none, or several candidates. */
export type NameResolution =
  | { readonly kind: 'one'; readonly id: string }
  /** `available`: every resource of that kind, for suggestions. */
  | { readonly kind: 'none'; readonly available: readonly NamedResource[] }
  | { readonly kind: 'several'; readonly candidates: readonly NamedResource[] };

export type NameResolutions = ReadonlyMap<NameKey, NameResolution>;

/**
 * Returns a function that resolves a name among all resources of its kind at the gateway, by exact name and within the group if one is given.
 * Comparing each name with all resources would take quadratic time.
 */
export function nameResolver(all: readonly NamedResource[]): (wanted: NameRef) => NameResolution {
  const byName = new Map<string, NamedResource[]>();
  for (const resource of all) {
    for (const group of new Set([null, resource.group, resource.groupId])) {
      const key = JSON.stringify([resource.name, group]);
      const known = byName.get(key);
      if (known) known.push(resource);
      else byName.set(key, [resource]);
    }
  }
  return ({ name, group }) => {
    const candidates = byName.get(JSON.stringify([name, group])) ?? [];
    const [only] = candidates;
    if (only && candidates.length === 1) return { kind: 'one', id: only.id };
    return candidates.length === 0 ? { kind: 'none', available: all } : { kind: 'several', candidates };
  };
}
