/*
 * The checks folder finds the errors in a file that is valid YAML: against the schema, then what no schema can express. It must report all
 * errors at once, each with its path in the file, and never change or complete a value.
 */

import { serviceOf } from '../../model/gateway.ts';
import { type NamedResource, type NameRef, type NameResolutions, nameKey } from '../../model/name-ref.ts';
import { FirstDiagnostics, type PathDiagnostic } from '../path-diagnostic.ts';
import { describeCharacter, meantText } from '../yaml/characters.ts';
import type { KeyPath } from '../yaml/source-ranges.ts';
import { entriesInOrder, isMap } from '../yaml/value.ts';
import { describeKeySlip } from './keys.ts';
import { closestMatch } from './spelling.ts';
import { withOddCharacter } from './values.ts';

/** Describes the position of a path in the file, such as `line 12`. */
type DescribeLocation = (path: KeyPath) => string;

/** The longest URL in a file, as in its schema. Whether a longer one is valid is not asked. */
export const maxUrlLength = 2048;

/** How many environments or candidates a hint lists. */
const maxListed = 10;

/**
 * Checks for errors that a schema cannot detect: an invalid URL, an undeclared environment, two names for one environment, a
 * publication that is declared twice, and names that `resolutions` show to be unknown or ambiguous at the gateway. Ignores
 * values of the wrong type, which the schema check reports.
 */
export function checkSemantics(
  file: unknown,
  locationOf: DescribeLocation,
  resolutions: NameResolutions = new Map(),
): readonly PathDiagnostic[] {
  const diagnostics = new FirstDiagnostics();
  for (const key of ['endpoint', 'iam']) {
    const url = textAt(objectAt(file, 'gateway'), key);
    if (url === null || url.length > maxUrlLength || !/^https?:\/\/[^/?#@\s]+\/?$/.test(url)) continue;
    // No host has such a character, but a URL may.
    const odd = /[,;'"`()<>{}|\\^!$&*+=~]/.exec(url)?.[0];
    if (odd !== undefined || !URL.canParse(url)) {
      const isLast = odd !== undefined && url.endsWith(odd);
      diagnostics.push({
        rule: 'invalid-value',
        path: ['gateway', key],
        target: 'value',
        message: `\`gateway.${key}\` is not a valid URL${odd === undefined ? '' : `: ${isLast ? 'it ends with' : 'its host contains'} \`${odd}\``}`,
        hint: isLast ? 'remove it' : 'expected: https://HOST or https://HOST:PORT',
      });
    }
  }
  const endpoint = textAt(objectAt(file, 'gateway'), 'endpoint') ?? '';
  const [service, served] = [textAt(objectAt(file, 'gateway'), 'service') ?? 'roma', serviceOf(endpoint.replace(/\/$/, ''))];
  if (served !== null && served !== service) {
    diagnostics.push({
      rule: 'invalid-value',
      path: ['gateway', 'endpoint'],
      target: 'value',
      message: `\`gateway.endpoint\` belongs to ${served === 'apig' ? 'API Gateway' : 'ROMA Connect'}, but \`gateway.service\` is ${service}`,
      hint: `add \`service: ${served}\`, or write the endpoint of the other service`,
    });
  }
  const idOf = new Map<string, string | null>();
  const environmentPaths = new UniquePaths(diagnostics, locationOf);
  for (const [name, setting] of entriesOf(file, 'environments')) {
    if (diagnostics.isFull) break;
    const path = ['environments', name];
    const id =
      typeof setting === 'string' ? setting : resolveId(setting, environmentNameRef(name, setting), { path, resolutions, diagnostics });
    idOf.set(name, id);
    if (id !== null && !environmentPaths.add(id, path, `\`${name}\` is the same environment as`)) idOf.set(name, null);
  }

  const declared = [...idOf.keys()];
  const nameOfId = new Map([...idOf].map(([name, id]) => [id, name]));
  const publicationPaths = new UniquePaths(diagnostics, locationOf);
  for (const [api, setting] of entriesOf(file, 'apis')) {
    if (diagnostics.isFull) break;
    const apiId = resolveId(setting, apiNameRef(api, setting), { path: ['apis', api], resolutions, diagnostics });
    // One wrong ID makes all publications of two APIs the same.
    let isShared = apiId === null;
    for (const [environment, state] of entriesOf(setting, 'environments')) {
      if (diagnostics.isFull) break;
      const path = ['apis', api, 'environments', environment];
      const environmentId = idOf.get(environment);
      if (environmentId === undefined && declared.length > 0 && describeKeySlip(environment, state) === null)
        if (!diagnostics.repeats(causeOfUndeclared(environment), path))
          diagnostics.push(undeclaredEnvironment(path, environment, declared, nameOfId.get(environment)));
      if (isShared || !environmentId) continue;
      isShared = !publicationPaths.add(`${apiId} ${environmentId}`, path, `${api} in ${environment} is the same publication as`);
    }
  }
  return diagnostics.list;
}

/** Returns the name reference of the API under `key` that has no ID. */
export function apiNameRef(key: string, setting: unknown): NameRef {
  return { kind: 'api', name: textAt(setting, 'name') ?? key, group: textAt(setting, 'group') };
}

/** Returns the name reference of the environment under `key` that has no ID. */
export function environmentNameRef(key: string, setting: unknown): NameRef {
  return { kind: 'environment', name: textAt(setting, 'name') ?? key, group: null };
}

interface NameLookup {
  readonly path: KeyPath;
  readonly resolutions: NameResolutions;
  readonly diagnostics: FirstDiagnostics;
}

/**
 * Returns the ID in `setting` or that its name resolves to. Returns `null` without one, and adds a diagnostic if the name was
 * looked up.
 */
function resolveId(setting: unknown, name: NameRef, { path, resolutions, diagnostics }: NameLookup): string | null {
  const id = textAt(setting, 'id');
  if (id !== null) {
    const redundantKey = ['name', 'group'].find((key) => textAt(setting, key) !== null);
    if (redundantKey)
      diagnostics.push({
        rule: 'redundant-key',
        path: [...path, redundantKey],
        target: 'key',
        message: `\`${redundantKey}\` has no effect beside \`id\``,
        hint: 'remove one of them',
      });
    return id;
  }
  const resolution = resolutions.get(nameKey(name));
  if (resolution?.kind === 'one') return resolution.id;
  if (resolution) {
    const resource = `${name.kind === 'api' ? 'API' : 'environment'} named \`${name.name}\`${name.group === null ? '' : ` in the group \`${name.group}\``}`;
    const isNone = resolution.kind === 'none';
    diagnostics.push({
      rule: 'unknown-name',
      path: textAt(setting, 'name') === null ? path : [...path, 'name'],
      target: textAt(setting, 'name') === null ? 'key' : 'value',
      message: `the gateway has ${isNone ? 'no' : 'more than one'} ${resource}`,
      hint: isNone
        ? notFoundHint(name, resolution.available)
        : `set one of ${joinLimited(resolution.candidates.map(formatResource))}, or add a \`group\``,
    });
  }
  return null;
}

function notFoundHint({ name }: NameRef, others: readonly NamedResource[]): string {
  const near = closestMatch(
    name,
    others.map((other) => other.name),
  );
  const similar = near === null ? [] : others.filter((other) => other.name === near);
  return similar.length > 0
    ? `did you mean ${joinLimited(similar.map(formatResource))}?`
    : 'check its name in the console, or set its `id`';
}

function formatResource({ id, name, group }: NamedResource): string {
  return `\`id: ${id}\` (${name}${group === '' ? '' : `, group ${group}`})`;
}

function joinLimited(words: readonly string[]): string {
  const more = words.length > maxListed ? `, and ${words.length - maxListed} more` : '';
  return `${words.slice(0, maxListed).join(', ')}${more}`;
}

/** The paths at which IDs are declared; each ID once. */
class UniquePaths {
  readonly #firstPaths = new Map<string, KeyPath>();
  readonly #diagnostics: FirstDiagnostics;
  readonly #locationOf: DescribeLocation;

  constructor(diagnostics: FirstDiagnostics, locationOf: DescribeLocation) {
    this.#diagnostics = diagnostics;
    this.#locationOf = locationOf;
  }

  /** Returns whether the ID is new. Adds a diagnostic that starts with `message` if it is declared at an earlier path. */
  add(id: string, path: KeyPath, message: string): boolean {
    const first = this.#firstPaths.get(id);
    if (!first) {
      this.#firstPaths.set(id, path);
      return true;
    }
    const name = first[0] === 'apis' ? `${first[1]} in ${first[3]}` : `\`${first[1]}\``;
    this.#diagnostics.push({
      rule: 'duplicate-declaration',
      path,
      target: 'key',
      message: `${message} ${name} at ${this.#locationOf(first)}: both have the same ID`,
      hint: 'correct one of the IDs, or remove one of the entries',
    });
    return false;
  }
}

function causeOfUndeclared(environment: string): string {
  return `undeclared environment ${environment}`;
}

/** How many names a hint suggests. */
const maxSuggested = 3;

/**
 * Returns the diagnostic for an entry at `path` that names an undeclared environment. `nameOfId` is the declared name of the environment that
 * has this text as its ID.
 */
export function undeclaredEnvironment(path: KeyPath, environment: string, declared: readonly string[], nameOfId?: string): PathDiagnostic {
  const same = declared.find((name) => name.normalize('NFC') === environment.normalize('NFC'));
  const near = nameOfId ?? same ?? closestMatch(meantText(environment), declared);
  const more = declared.length > maxSuggested ? `, and ${declared.length - maxSuggested} more` : '';
  const hint = near === null ? `declared: ${declared.slice(0, maxSuggested).join(', ')}${more}` : `did you mean \`${near}\`?`;
  return {
    rule: 'undeclared-environment',
    cause: causeOfUndeclared(environment),
    path,
    target: 'key',
    message: `the environment \`${environment}\` is not declared under \`environments\``,
    hint:
      same === undefined
        ? withOddCharacter(environment, hint)
        : `it looks like the declared \`${same}\`, but only one of the two is written with ${combiningCharacter(environment, same)}: they differ in Unicode normalization; copy the name from there`,
  };
}

/** Names the combining character that one of two texts has, which look the same. */
function combiningCharacter(written: string, declared: string): string {
  const decomposed = written.normalize('NFC') === written ? declared : written;
  const mark = /\p{M}/u.exec(decomposed)?.[0];
  return mark === undefined ? 'other characters' : describeCharacter(mark);
}

function entriesOf(value: unknown, key: string): [string, unknown][] {
  return entriesInOrder(objectAt(value, key));
}

function objectAt(value: unknown, key: string): Record<string, unknown> {
  const inner = isMap(value) && Object.hasOwn(value, key) ? value[key] : undefined;
  return isMap(inner) ? inner : {};
}

function textAt(value: unknown, key: string): string | null {
  const text = isMap(value) && Object.hasOwn(value, key) ? value[key] : undefined;
  return typeof text === 'string' ? text : null;
}
