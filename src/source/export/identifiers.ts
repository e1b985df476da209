import { validateFile } from '../../../generated/edict-file-validator.cjs';
import type { ListedEnvironment, ObservedApi } from '../../model/observation.ts';
import { visibleLines } from '../../model/visible.ts';

/** The environment that every instance has and that callers usually use. */
export const releaseEnvironmentId = 'DEFAULT_ENVIRONMENT_RELEASE_ID';

/** How many characters of an ID or a group's name are appended to tell equal names apart. */
const idSuffixLength = 8;
const groupSuffixLength = 64;

export interface ExportedApi {
  /** Its key in the file. */
  readonly key: string;
  readonly api: ObservedApi;
}

export interface ExportedEnvironment extends ListedEnvironment {
  /** Its key in the file. */
  readonly key: string;
  /** Whether the gateway lists it. If not, an API is published in it, or it is the release environment, which always exists. */
  readonly isListed: boolean;
}

/** Returns the comment after an environment in a file: its name at the gateway, if the key is another; `null` for none. */
export function environmentComment({ key, name, isListed }: Pick<ExportedEnvironment, 'key' | 'name' | 'isListed'>): string | null {
  if (!isListed) return 'not listed by the gateway';
  return key === name ? null : `${quoteForComment(name)} at the gateway`;
}

/** The resources with their keys in the file, and those that a file cannot name. Sorted by code units. */
export interface NamingResult<Nameable, Nameless> {
  readonly named: readonly Nameable[];
  readonly skipped: readonly Nameless[];
}

/**
 * Assigns unique keys to APIs: the gateway's name where possible, else with the group, else with all or part of the ID. Keys in `taken` are
 * in use.
 */
export function assignApiNames(apis: Iterable<ObservedApi>, taken: Iterable<string> = []): NamingResult<ExportedApi, ObservedApi> {
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
  const named = [...assignUniqueNames(keyless, taken)].map(([{ api }, key]) => ({ key, api }));
  return { named: named.sort((a, b) => compareCodeUnits(a.key, b.key)), skipped: sorted.filter((api) => !isNameable(api)) };
}

/**
 * Assigns unique keys to environments, in lower case where possible: those that the gateway lists, those in which an API is
 * published, and if there are none, the release environment. Keys in `taken` are in use.
 */
export function assignEnvironmentNames(
  listed: readonly ListedEnvironment[],
  published: Iterable<string>,
  taken: Iterable<string> = [],
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
  const named = [...assignUniqueNames(keyless, taken)].map(([{ environment }, key]) => ({ key, ...environment }));
  return { named: named.sort((a, b) => compareCodeUnits(a.key, b.key)), skipped: sorted.filter(({ id }) => !isValidId(id)) };
}

function nameIfValid(name: string): string | null {
  return isValidName(name) ? name : null;
}

function idCandidates(base: string, id: string): readonly [string, string] {
  return [appendSuffix(base, id.slice(0, idSuffixLength)), appendSuffix(base, id)];
}

/** Compares by code unit, so that the order does not depend on the machine's locale. */
function compareCodeUnits(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** The smallest valid file. */
const minimalFile = {
  edict: 1,
  gateway: { endpoint: 'https://host', project: 'p', instance: 'i' },
  environments: { e: 'e' },
  apis: {},
};

/** Returns whether the file may use `text` as the name of an API or an environment. */
export function isValidName(text: string): boolean {
  return validateFile({ ...minimalFile, apis: { [text]: { id: 'a', environments: {} } } });
}

/** Returns whether the file may use `text` as an ID. */
export function isValidId(text: string): boolean {
  return validateFile({ ...minimalFile, environments: { e: text } });
}

/** Maximum length of a name: `Name` in spec/edict.schema.json. */
const maxNameLength = 128;

/** A resource that needs a unique key. */
export interface NameCandidates {
  /** Possible keys, the best first; `null` where a kind of key is missing. All lists have the same length. */
  readonly candidates: readonly [...(string | null)[], string];
}

/**
 * Assigns a unique key to each item. A key that several items want in one round goes to none of them, nor to a later one, so
 * that the keys do not depend on the order of the items, unless even their last candidates are equal. No item gets a key in `inUse`.
 */
export function assignUniqueNames<T extends NameCandidates>(items: readonly T[], inUse: Iterable<string> = []): ReadonlyMap<T, string> {
  const keys = new Map<T, string>();
  const taken = new Set(inUse);
  const rounds = Math.max(0, ...new Set(items.map(({ candidates }) => candidates.length)));
  let remaining = items;
  for (let round = 0; round < rounds && remaining.length > 0; round += 1) {
    const itemsByKey = Map.groupBy(remaining, ({ candidates }) => candidates[round] ?? null);
    for (const [key, [first, ...others]] of itemsByKey) {
      if (key === null || first === undefined || taken.has(key)) continue;
      taken.add(key);
      if (others.length === 0) keys.set(first, key);
    }
    remaining = remaining.filter((item) => !keys.has(item));
  }
  for (const item of remaining) {
    const base = item.candidates.at(-1) ?? '';
    let count = 2;
    while (taken.has(appendSuffix(base, String(count)))) count += 1;
    taken.add(appendSuffix(base, String(count)));
    keys.set(item, appendSuffix(base, String(count)));
  }
  return keys;
}

/**
 * Replaces the characters of a text that a name must not contain by `-`: `Orders (v2)` becomes `Orders-v2`; `null` if nothing
 * is left.
 */
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

/** Returns `base-suffix`, with the base truncated if the result is too long for a name. */
export function appendSuffix(base: string, suffix: string): string {
  const maxBaseLength = maxNameLength - [...suffix].length - 1;
  return maxBaseLength < 1 ? truncate(suffix, maxNameLength) : `${truncate(base, maxBaseLength)}-${suffix}`;
}

function truncate(text: string, length: number): string {
  return text.length <= length ? text : [...text].slice(0, length).join('');
}

/** Maximum length of untrusted text in a comment. */
const maxCommentLength = 200;

/**
 * Quotes untrusted text for a comment or a terminal, on one line. Control characters, line ends and bidirectional controls are
 * shown as code points; a longer text is truncated.
 */
export function quoteForComment(text: string): string {
  const characters = [...text.slice(0, 2 * maxCommentLength + 1)];
  const shown = characters.length <= maxCommentLength ? characters : [...characters.slice(0, maxCommentLength), '…'];
  return visibleLines(JSON.stringify(shown.join('')));
}
