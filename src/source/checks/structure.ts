import type { FirstDiagnostics } from '../path-diagnostic.ts';
import { isInvisible } from '../yaml/characters.ts';
import type { KeyPath } from '../yaml/source-ranges.ts';
import { entriesInOrder, isMap } from '../yaml/value.ts';
import { type FileKind, hasNames, keysAt, schemaAt } from './levels.ts';
import { closestValue } from './spelling.ts';

/** The paths with errors in the levels of a file, whose other errors only follow from them. */
export interface StructureErrors {
  /** Returns whether an error at a path follows from one of the diagnostics. */
  readonly covers: (path: KeyPath) => boolean;
}

/**
 * Checks a file for entries at the wrong level: values that are not indented below their key, settings of the file among environments or APIs,
 * an API in an API, publications without `environments`. Adds what it finds to `found`.
 */
export function checkStructure(file: unknown, kind: FileKind, found: FirstDiagnostics): StructureErrors {
  const check = new StructureCheck(kind, found);
  check.visit(file, []);
  const { covered } = check;
  const covers = (path: KeyPath): boolean =>
    covered.size > 0 && (path.length === 0 ? covered.has('') : path.some((_, index) => covered.has(toKey(path.slice(0, index + 1)))));
  return { covers };
}

function toKey(path: KeyPath): string {
  return path.join('\0');
}

/** Keys of the file that can stand among environments or APIs by mistake. */
const fileKeys = [
  'edict',
  'gateway',
  'environments',
  'prune',
  'guards',
  'rollout',
  'freeze',
  'suspend',
  'refresh',
  'drift',
  'republish',
  'include',
  'apis',
];

/** Returns whether an environment has the name of a setting of the file. */
export function hasSettingsAsEnvironments(file: unknown): boolean {
  const environments = isMap(file) ? file['environments'] : null;
  return isMap(environments) && fileKeys.some((key) => Object.hasOwn(environments, key));
}

class StructureCheck {
  readonly covered = new Set<string>();
  readonly #kind: FileKind;
  readonly #found: FirstDiagnostics;
  #environments: readonly string[] = [];

  constructor(kind: FileKind, found: FirstDiagnostics) {
    this.#kind = kind;
    this.#found = found;
  }

  visit(file: unknown, path: KeyPath): void {
    if (!isMap(file)) return;
    if (path.length === 0 && isMap(file['environments'])) this.#environments = Object.keys(file['environments']);
    this.#checkUnindented(file, path);
    if (path.length === 0) this.#checkApisAtTop(file);
    if (path.length === 1 && (path[0] === 'environments' || path[0] === 'apis')) this.#checkNames(file, path);
    if (path.length === 2 && path[0] === 'apis') this.#checkApi(file, path);
    for (const [key, value] of entriesInOrder(file)) {
      const inner = [...path, key];
      const isRelevant =
        path.length === 0 ? ['environments', 'gateway', 'apis'].includes(key) : path.length === 1 && path[0] !== 'environments';
      if (isRelevant && isMap(value) && !this.covered.has(toKey(inner))) this.visit(value, inner);
    }
  }

  #report(path: KeyPath, message: string, hint: string): void {
    const isName = (index: number): boolean => index % 2 === 1 && (path[0] === 'apis' || path[0] === 'environments');
    const cause = `level ${path.map((step, index) => (isName(index) ? '*' : step)).join('.')} ${message.replace(/`[^`]*`/g, '')}`;
    this.#found.push({ path, target: 'key', rule: 'unknown-key', message, hint, cause });
    this.#cover(path);
  }

  #cover(...paths: readonly KeyPath[]): void {
    for (const path of paths) this.covered.add(toKey(path));
  }

  /** A key without a value is followed by keys that belong below it. */
  #checkUnindented(map: Readonly<Record<string, unknown>>, path: KeyPath): void {
    const entries = entriesInOrder(map);
    const known = keysAt(this.#kind, path);
    for (const [index, [key, value]] of entries.entries()) {
      if (value !== null || this.covered.has(toKey([...path, key]))) continue;
      const inner = [...path, key];
      const schema = schemaAt(this.#kind, inner)?.schema;
      const innerKeys = keysAt(this.#kind, inner);
      if (!schema || (innerKeys.length === 0 && !hasNames(this.#kind, inner))) continue;
      const belongs = ([name, own]: [string, unknown]): boolean =>
        !known.includes(name) && (innerKeys.length > 0 ? innerKeys.includes(name) && !isApi(own) : true);
      const below: [string, unknown][] = [];
      for (const entry of entries.slice(index + 1)) {
        if (!belongs(entry)) break;
        below.push(entry);
      }
      const [first] = below;
      if (!first) continue;
      this.#report(
        [...path, first[0]],
        `\`${first[0]}\` is not indented, so it is not part of \`${key}\``,
        `indent it, and everything else that belongs to \`${key}\`, by two more spaces`,
      );
      this.#cover(inner, ...below.map(([name]) => [...path, name]));
    }
  }

  #checkApisAtTop(file: Readonly<Record<string, unknown>>): void {
    const known = keysAt(this.#kind, []);
    for (const [key, value] of entriesInOrder(file)) {
      const path = [key];
      if (known.includes(key) || this.covered.has(toKey(path)) || !isApi(value) || isInvisible(key.charAt(0))) continue;
      if (isMap(value) && ('gateway' in value || 'apis' in value)) continue;
      this.#report(path, `\`${key}\` looks like an API, but it is at the top level`, 'indent it by 2 spaces, below `apis`');
    }
  }

  /** Checks the entries of `environments` at the top level, and of `apis`. */
  #checkNames(map: Readonly<Record<string, unknown>>, path: KeyPath): void {
    const isApis = path[0] === 'apis';
    let before: string | null = null;
    for (const [key, value] of entriesInOrder(map)) {
      const inner = [...path, key];
      if (this.covered.has(toKey(inner))) continue;
      const last: unknown = before === null ? undefined : map[before];
      if (isApis && before !== null && isMap(last) && !isApi(value) && !(key in last) && keysAt(this.#kind, inner).includes(key)) {
        this.#report(
          inner,
          `\`${key}\` is at the level of the APIs`,
          `if it belongs to \`${before}\`, indent it as the other keys of \`${before}\``,
        );
        this.#cover([...path, before]);
      } else if (fileKeys.includes(key) && isFileSetting(this.#kind, key, value, isApis)) {
        const other = isApis ? 'an API' : 'an environment';
        const form = isApis ? '' : `; an environment of this name is written \`${key}: { id: … }\``;
        this.#report(
          inner,
          `\`${key}\` is a setting of the file, not ${other}`,
          `remove its indentation, so that it is at the top level${form}`,
        );
        if (key === 'apis' || key === 'environments' || key === 'gateway') this.#cover([]);
      } else before = key;
    }
  }

  #checkApi(api: Readonly<Record<string, unknown>>, path: KeyPath): void {
    const known = keysAt(this.#kind, path);
    const states: string[] = [];
    for (const [key, value] of entriesInOrder(api)) {
      if (known.includes(key) || this.covered.has(toKey([...path, key]))) continue;
      const isState = typeof value === 'string' && closestValue(value, ['online', 'offline']) !== null;
      if (isApi(value))
        this.#report(
          [...path, key],
          `\`${key}\` looks like an API, but it is inside \`${path[1]}\``,
          `indent it by 2 spaces, like \`${path[1]}\``,
        );
      else if (this.#environments.includes(key) && (isState || isMap(value))) states.push(key);
    }
    const [first] = states;
    if (first === undefined) return;
    this.#report(
      [...path, first],
      `\`${first}\` is an environment, but it is directly in the API \`${path[1]}\``,
      'write it below `environments:`, indented by two more spaces',
    );
    this.#cover(path);
  }
}

/** Returns whether a value can only be an API. */
function isApi(value: unknown): boolean {
  return isMap(value) && isMap(value['environments']);
}

/** Returns whether a value is that of a setting of the file, and not that of an environment or an API of the same name. */
function isFileSetting(kind: FileKind, key: string, value: unknown, isApis: boolean): boolean {
  if (isMap(value)) {
    if (isApis ? isApi(value) : 'id' in value || 'name' in value) return false;
    const known = keysAt('File', [key]);
    return known.length === 0
      ? kind === 'File' && Object.keys(value).length > 0
      : Object.keys(value).length > 0 && Object.keys(value).every((one) => known.includes(one));
  }
  if (isApis) return value !== null;
  if (typeof value !== 'string') return value !== null;
  const schema = schemaAt('File', [key])?.schema;
  return schema?.enum?.includes(value) ?? (key === 'refresh' && /^(?:never|\d+(?:ms|[smh]))$/.test(value));
}
