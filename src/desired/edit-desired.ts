import { type Meaning, type Name, type NameKey, nameKey } from '../core/names.ts';
import type { DesiredPublication, DesiredState, PublicationKey, PublicationNames, State } from '../core/publication.ts';
import { type ParseInput, parseFile } from './parse-desired.ts';
import { locate } from './positions.ts';
import { edited, type TextEdit, unifiedDiff } from './text-edit.ts';
import { parseYaml, type YamlMap, type YamlNode } from './yaml-tree.ts';

/** What a file is to say of one publication. */
export interface Wish extends PublicationNames {
  readonly key: PublicationKey;
  readonly state: State;
  /** The version that is to be pinned; `null`: none. */
  readonly version: string | null;
}

/** How a file comes to say what is wished. */
export interface FileEdit {
  /** A unified diff; empty if there is nothing that it could do. */
  readonly diff: string;
  /** What a person has to write, since no change of a line or two does it. */
  readonly byHand: readonly Wish[];
}

export interface EditInput {
  readonly text: string;
  /** The file's name in the diff, relative. */
  readonly file: string;
  /** Returns what is read where the file has another text: it may include others, or be included. */
  readonly whole: (text: string) => ParseInput;
  /** What the file says now. */
  readonly desired: DesiredState;
}

/**
 * Returns the change to the file that makes it say what is wished and nothing else new. Each change is tried: what comes out is
 * read again, and where another publication says something else too, since YAML can repeat what it has said before, it is left to
 * a person. A pure function.
 */
export function editDesired(input: EditInput, wishes: readonly Wish[]): FileEdit {
  const { text, file, desired } = input;
  const { root } = parseYaml(text);
  const units = unitsOf(text, root, wishes.map(namedAsIn(desired)), desired);
  const before = said(text, input);
  const isRight = (some: readonly Unit[]): boolean => {
    const wanted = some.flatMap((unit) => unit.wishes);
    return before !== null && isAsWished(before, said(edited(text, editsOf(some)), input), wanted);
  };
  const singly = units.length <= mostTried && !isRight(units) ? units.filter((unit) => isRight([unit])) : units;
  const right = isRight(singly) ? singly : [];
  const done = new Set(right.flatMap((unit) => unit.wishes.map(({ key }) => key)));
  return { diff: unifiedDiff(file, text, editsOf(right)), byHand: wishes.filter(({ key }) => !done.has(key)) };
}

/** So many changes are tried one by one where all together come out wrong: each costs a reading of the file. */
const mostTried = 50;

/** Wishes that are fulfilled together or not at all. */
interface Unit {
  readonly wishes: readonly Wish[];
  readonly edits: readonly TextEdit[];
}

function editsOf(units: readonly Unit[]): readonly TextEdit[] {
  return units.flatMap(({ edits }) => edits);
}

/** The file may call an API otherwise by now. */
function namedAsIn({ publications }: DesiredState): (wish: Wish) => Wish {
  const nameOf = new Map([...publications.values()].map(({ apiId, api }) => [apiId, api]));
  return (wish) => ({ ...wish, api: nameOf.get(wish.apiId) ?? wish.api });
}

function unitsOf(text: string, root: YamlNode, wishes: readonly Wish[], { publications, environments }: DesiredState): Unit[] {
  const isInFile = ({ key }: Wish): boolean => publications.has(key);
  const isPlace = ({ environment, environmentId }: Wish): boolean => environments.get(environmentId)?.name === environment;
  const idOf = new Map([...publications.values()].map(({ api, apiId }) => [api, apiId]));
  const isFree = ({ api, apiId }: Wish): boolean => (idOf.get(api) ?? apiId) === apiId;
  const missing = wishes.filter((wish) => !isInFile(wish) && isPlace(wish) && isFree(wish));
  const found = [
    ...wishes.filter(isInFile).map((wish) => ({ wishes: [wish], edits: changed(text, root, wish) })),
    ...[...Map.groupBy(missing, ({ apiId }) => apiId).values()].map((own) => ({ wishes: own, edits: added(text, root, own) })),
  ];
  return found.flatMap(({ wishes: own, edits }) => (edits ? [{ wishes: own, edits }] : []));
}

/** What a file says of each publication, by the names that it has there; `null` if it is not valid. */
type Said = ReadonlyMap<string, DesiredPublication>;

function said(text: string, { whole }: EditInput): Said | null {
  try {
    const parsed = parseFile(whole(text));
    const { publications } = parsed.desired(standIns(parsed.names));
    return new Map([...publications.values()].map((publication) => [nameOf(publication), publication]));
  } catch {
    return null;
  }
}

/** What a name means does not matter here, if it is the same each time. */
function standIns(names: readonly Name[]): ReadonlyMap<NameKey, Meaning> {
  return new Map(names.map((name, index) => [nameKey(name), { kind: 'one', id: `_${index}` }]));
}

function isAsWished(before: Said, after: Said | null, wishes: readonly Wish[]): boolean {
  if (after === null) return false;
  const wished = new Map(wishes.map((wish) => [nameOf(wish), wish]));
  const names = new Set([...before.keys(), ...after.keys(), ...wished.keys()]);
  return [...names].every((name) => {
    const [was, is, wish] = [before.get(name), after.get(name), wished.get(name)];
    if (!is) return false;
    if (!wish) return contentOf(was) === contentOf(is);
    if (is.calledBy === null && is.apiId !== wish.apiId) return false;
    return is.state === wish.state && (wish.state === 'offline' || is.version === wish.version);
  });
}

function nameOf({ api, environment }: PublicationNames): string {
  return `${api} ${environment}`;
}

function contentOf(publication: DesiredPublication | undefined): string {
  return JSON.stringify(publication && { ...publication, source: null });
}

/** Returns the edits that make what the file says of a publication as wished; `null` if there are none. */
function changed(text: string, root: YamlNode, wish: Wish): readonly TextEdit[] | null {
  const path = ['apis', wish.api, 'environments', wish.environment];
  const { value, node } = locate(root, path);
  if (node.kind === 'scalar') return [{ ...rangeOf(value), text: settingOf(wish) }];
  if (node.kind !== 'map') return null;
  const state = locate(root, [...path, 'state']);
  const edits: TextEdit[] = [{ ...rangeOf(state.value), text: wish.state }];
  if (wish.version === null) return edits;
  if (node.entries.has('version'))
    return [...edits, { ...rangeOf(locate(root, [...path, 'version']).value), text: scalarText(wish.version) }];
  const pin = `version: ${scalarText(wish.version)}`;
  if (isFlow(text, value.start)) return [{ ...rangeOf(state.value), text: `${wish.state}, ${pin}` }];
  const lineStart = text.lastIndexOf('\n', (state.key?.start ?? 0) - 1) + 1;
  const indent = text.slice(lineStart, state.key?.start ?? lineStart);
  if (indent.trim() !== '') return null;
  return [...edits, newLines(text, state.value.end, [`${indent}${pin}`])];
}

/** Returns the edits that add publications of one API to the file, and the API if it is not there; `null` if there are none. */
function added(text: string, root: YamlNode, wishes: readonly Wish[]): readonly TextEdit[] | null {
  const [first] = wishes;
  if (!first) return null;
  const entries = wishes.map((wish) => `${scalarText(wish.environment)}: ${settingOf(wish)}`);
  const path = ['apis', first.api, 'environments'];
  if (isThere(root, path)) return insertion(text, root, path, (indent) => entries.map((entry) => `${indent}${entry}`), entries.join(', '));
  const places = `environments: { ${entries.join(', ')} }`;
  return insertion(
    text,
    root,
    ['apis'],
    (indent) => [`${indent}${scalarText(first.api)}:`, `${indent}  id: ${scalarText(first.apiId)}`, `${indent}  ${places}`],
    `${scalarText(first.api)}: { id: ${scalarText(first.apiId)}, ${places} }`,
  );
}

/** Returns the edit that puts entries at the begin of the map at `path`: as lines, or within braces if the map has them. */
function insertion(
  text: string,
  root: YamlNode,
  path: readonly string[],
  lines: (indent: string) => readonly string[],
  inBraces: string,
): readonly TextEdit[] | null {
  const { key, value, node } = locate(root, path);
  if (node.kind !== 'map' || !key) return null;
  if (isFlow(text, value.start)) {
    const at = value.start + 1;
    return [{ start: at, end: at, text: node.entries.size === 0 ? ` ${inBraces} ` : ` ${inBraces},` }];
  }
  const first = firstKey(root, path, node);
  if (first === null) return null;
  const lineStart = text.lastIndexOf('\n', first - 1) + 1;
  const indent = text.slice(lineStart, first);
  return indent.trim() === '' && lineStart > key.end ? [newLines(text, key.end, lines(indent))] : null;
}

function isThere(root: YamlNode, path: readonly string[]): boolean {
  let node: YamlNode | undefined = root;
  for (const step of path) node = node?.kind === 'map' ? node.entries.get(step)?.node : undefined;
  return node !== undefined;
}

function firstKey(root: YamlNode, path: readonly string[], map: YamlMap): number | null {
  const [name] = map.entries.keys();
  return name === undefined ? null : (locate(root, [...path, name]).key?.start ?? null);
}

/** Lines of their own behind the one in which `offset` is, ended as that one is. */
function newLines(text: string, offset: number, lines: readonly string[]): TextEdit {
  const end = text.indexOf('\n', offset);
  if (end === -1) return { start: text.length, end: text.length, text: `\n${lines.join('\n')}` };
  const lineEnd = text.charAt(end - 1) === '\r' ? '\r\n' : '\n';
  return { start: end + 1, end: end + 1, text: lines.map((line) => line + lineEnd).join('') };
}

function isFlow(text: string, start: number): boolean {
  return text.charAt(start) === '{';
}

function rangeOf({ start, end }: { readonly start: number; readonly end: number }) {
  return { start, end };
}

/** Returns a publication's setting as the file has it. */
export function settingOf({ state, version }: Pick<Wish, 'state' | 'version'>): string {
  return version === null || state === 'offline' ? state : `{ state: ${state}, version: ${scalarText(version)} }`;
}

/** What YAML could take for something else than a text is quoted; a number is none here. */
function scalarText(text: string): string {
  return /^[A-Za-z0-9][\w.-]*$/.test(text) && !/^(?:true|false|null|yes|no|on|off|y|n)$/i.test(text) ? text : JSON.stringify(text);
}
