/** The most characters of a name: `Name` in spec/edict.schema.json. */
const maxNameLength = 128;

/** Something that needs a key of its own. */
export interface NameCandidates {
  /** The keys that would suit it, the best first; `null` where there is none of that kind. All have as many. */
  readonly candidates: readonly [...(string | null)[], string];
}

/**
 * Returns a key for each item, no two alike. A key that several items want in one round goes to none of them, nor to a later one:
 * so the keys do not depend on the order of the items, unless even the last candidates are alike.
 */
export function assignUniqueNames<T extends NameCandidates>(items: readonly T[]): ReadonlyMap<T, string> {
  const keys = new Map<T, string>();
  const taken = new Set<string>();
  const rounds = Math.max(0, ...new Set(items.map(({ candidates }) => candidates.length)));
  let left = items;
  for (let round = 0; round < rounds && left.length > 0; round += 1) {
    const suitors = Map.groupBy(left, ({ candidates }) => candidates[round] ?? null);
    for (const [key, [first, ...others]] of suitors) {
      if (key === null || first === undefined || taken.has(key)) continue;
      taken.add(key);
      if (others.length === 0) keys.set(first, key);
    }
    left = left.filter((item) => !keys.has(item));
  }
  for (const item of left) {
    const base = item.candidates.at(-1) ?? '';
    let count = 2;
    while (taken.has(appendSuffix(base, String(count)))) count += 1;
    taken.add(appendSuffix(base, String(count)));
    keys.set(item, appendSuffix(base, String(count)));
  }
  return keys;
}

/** Returns what of a text may stand in a name, the rest as `-`: `Orders (v2)` becomes `Orders-v2`; `null` if nothing is left. */
export function sanitizeName(text: string): string | null {
  const allowed = text
    .normalize('NFC')
    .replace(/[^\p{L}\p{N}._/-]+/gu, '-')
    .replace(/^[./-]+/u, '');
  const name = truncate(allowed, maxNameLength);
  let end = name.length;
  while (name[end - 1] === '-') end -= 1;
  return name.slice(0, end) || null;
}

/** Returns `base-suffix`, of which the base loses its end where both are too long for a name. */
export function appendSuffix(base: string, suffix: string): string {
  const room = maxNameLength - [...suffix].length - 1;
  return room < 1 ? truncate(suffix, maxNameLength) : `${truncate(base, room)}-${suffix}`;
}

function truncate(text: string, length: number): string {
  return text.length <= length ? text : [...text].slice(0, length).join('');
}
