import { type NameKey, type NameRef, type NameResolution, nameKey } from '../../model/name-ref.ts';
import type { DesiredPublication, DesiredState, PublicationKey, PublicationNames, PublicationState } from '../../model/publication.ts';
import { type ParseInput, parseFile } from '../parser.ts';
import { locate } from '../yaml/source-ranges.ts';
import { parseYaml, type YamlMap, type YamlNode } from '../yaml/tree.ts';
import { applyEdits, formatUnifiedDiff, type TextEdit } from './unified-diff.ts';

/** What a file is to say of one publication. */
export interface PublicationEdit extends PublicationNames {
  readonly key: PublicationKey;
  readonly state: PublicationState;
  /** The version that is to be pinned; `null`: none. */
  readonly version: string | null;
}

/** How a file comes to say what is wished. */
export interface FilePatch {
  /** A unified diff; empty if there is nothing that it could do. */
  readonly diff: string;
  /** What a person has to write, since no change of a line or two does it. */
  readonly manualEdits: readonly PublicationEdit[];
}

export interface PatchInput {
  readonly text: string;
  /** The file's name in the diff, relative. */
  readonly file: string;
  /** Returns what is read where the file has another text: it may include others, or be included. */
  readonly toParseInput: (text: string) => ParseInput;
  /** What the file says now. */
  readonly desired: DesiredState;
}

/**
 * Returns the change to the file that makes it say what is wished and nothing else new. Each change is tried: what comes out is
 * read again, and where another publication says something else too, since YAML can repeat what it has said before, it is left to
 * a person. A pure function.
 */
export function createPatch(input: PatchInput, wishes: readonly PublicationEdit[]): FilePatch {
  const { text, file, desired } = input;
  const { root } = parseYaml(text);
  const units = groupEdits(text, root, wishes.map(useCurrentNames(desired)), desired);
  const before = parsePublications(text, input);
  const isRight = (some: readonly EditGroup[]): boolean => {
    const wanted = some.flatMap((unit) => unit.publicationEdits);
    return before !== null && isEditedAsRequested(before, parsePublications(applyEdits(text, collectTextEdits(some)), input), wanted);
  };
  const singly = units.length <= maxSeparateTries && !isRight(units) ? units.filter((unit) => isRight([unit])) : units;
  const right = isRight(singly) ? singly : [];
  const done = new Set(right.flatMap((unit) => unit.publicationEdits.map(({ key }) => key)));
  return { diff: formatUnifiedDiff(file, text, collectTextEdits(right)), manualEdits: wishes.filter(({ key }) => !done.has(key)) };
}

/** So many changes are tried one by one where all together come out wrong: each costs a reading of the file. */
const maxSeparateTries = 50;

/** Wishes that are fulfilled together or not at all. */
interface EditGroup {
  readonly publicationEdits: readonly PublicationEdit[];
  readonly textEdits: readonly TextEdit[];
}

function collectTextEdits(units: readonly EditGroup[]): readonly TextEdit[] {
  return units.flatMap(({ textEdits }) => textEdits);
}

/** The file may call an API otherwise by now. */
function useCurrentNames({ publications }: DesiredState): (wish: PublicationEdit) => PublicationEdit {
  const nameOf = new Map([...publications.values()].map(({ apiId, api }) => [apiId, api]));
  return (wish) => ({ ...wish, api: nameOf.get(wish.apiId) ?? wish.api });
}

function groupEdits(
  text: string,
  root: YamlNode,
  wishes: readonly PublicationEdit[],
  { publications, environments }: DesiredState,
): EditGroup[] {
  const isInFile = ({ key }: PublicationEdit): boolean => publications.has(key);
  const isPlace = ({ environment, environmentId }: PublicationEdit): boolean => environments.get(environmentId)?.name === environment;
  const idOf = new Map([...publications.values()].map(({ api, apiId }) => [api, apiId]));
  const isFree = ({ api, apiId }: PublicationEdit): boolean => (idOf.get(api) ?? apiId) === apiId;
  const missing = wishes.filter((wish) => !isInFile(wish) && isPlace(wish) && isFree(wish));
  const found = [
    ...wishes.filter(isInFile).map((wish) => ({ publicationEdits: [wish], textEdits: editExisting(text, root, wish) })),
    ...[...Map.groupBy(missing, ({ apiId }) => apiId).values()].map((own) => ({
      publicationEdits: own,
      textEdits: addMissing(text, root, own),
    })),
  ];
  return found.flatMap(({ publicationEdits: own, textEdits }) => (textEdits ? [{ publicationEdits: own, textEdits }] : []));
}

/** What a file says of each publication, by the names that it has there; `null` if it is not valid. */
type PublicationsByName = ReadonlyMap<string, DesiredPublication>;

function parsePublications(text: string, { toParseInput }: PatchInput): PublicationsByName | null {
  try {
    const parsed = parseFile(toParseInput(text));
    const { publications } = parsed.toDesiredState(placeholderResolutions(parsed.nameRefs));
    return new Map([...publications.values()].map((publication) => [formatName(publication), publication]));
  } catch {
    return null;
  }
}

/** What a name means does not matter here, if it is the same each time. */
function placeholderResolutions(names: readonly NameRef[]): ReadonlyMap<NameKey, NameResolution> {
  return new Map(names.map((name, index) => [nameKey(name), { kind: 'one', id: `_${index}` }]));
}

function isEditedAsRequested(before: PublicationsByName, after: PublicationsByName | null, wishes: readonly PublicationEdit[]): boolean {
  if (after === null) return false;
  const wished = new Map(wishes.map((wish) => [formatName(wish), wish]));
  const names = new Set([...before.keys(), ...after.keys(), ...wished.keys()]);
  return [...names].every((name) => {
    const [was, is, wish] = [before.get(name), after.get(name), wished.get(name)];
    if (!is) return false;
    if (!wish) return serializeContent(was) === serializeContent(is);
    if (is.nameRef === null && is.apiId !== wish.apiId) return false;
    return is.state === wish.state && (wish.state === 'offline' || is.version === wish.version);
  });
}

function formatName({ api, environment }: PublicationNames): string {
  return `${api} ${environment}`;
}

function serializeContent(publication: DesiredPublication | undefined): string {
  return JSON.stringify(publication && { ...publication, source: null });
}

/** Returns the edits that make what the file says of a publication as wished; `null` if there are none. */
function editExisting(text: string, root: YamlNode, wish: PublicationEdit): readonly TextEdit[] | null {
  const path = ['apis', wish.api, 'environments', wish.environment];
  const { value, node } = locate(root, path);
  if (node.kind === 'scalar') return [{ ...toRange(value), text: formatSetting(wish) }];
  if (node.kind !== 'map') return null;
  const state = locate(root, [...path, 'state']);
  const edits: TextEdit[] = [{ ...toRange(state.value), text: wish.state }];
  if (wish.version === null) return edits;
  if (node.entries.has('version'))
    return [...edits, { ...toRange(locate(root, [...path, 'version']).value), text: formatScalar(wish.version) }];
  const pin = `version: ${formatScalar(wish.version)}`;
  if (isFlowStyle(text, value.start)) return [{ ...toRange(state.value), text: `${wish.state}, ${pin}` }];
  const lineStart = text.lastIndexOf('\n', (state.key?.start ?? 0) - 1) + 1;
  const indent = text.slice(lineStart, state.key?.start ?? lineStart);
  if (indent.trim() !== '') return null;
  return [...edits, insertLines(text, state.value.end, [`${indent}${pin}`])];
}

/** Returns the edits that add publications of one API to the file, and the API if it is not there; `null` if there are none. */
function addMissing(text: string, root: YamlNode, wishes: readonly PublicationEdit[]): readonly TextEdit[] | null {
  const [first] = wishes;
  if (!first) return null;
  const entries = wishes.map((wish) => `${formatScalar(wish.environment)}: ${formatSetting(wish)}`);
  const path = ['apis', first.api, 'environments'];
  if (hasPath(root, path))
    return insertEntries(text, root, path, (indent) => entries.map((entry) => `${indent}${entry}`), entries.join(', '));
  const places = `environments: { ${entries.join(', ')} }`;
  return insertEntries(
    text,
    root,
    ['apis'],
    (indent) => [`${indent}${formatScalar(first.api)}:`, `${indent}  id: ${formatScalar(first.apiId)}`, `${indent}  ${places}`],
    `${formatScalar(first.api)}: { id: ${formatScalar(first.apiId)}, ${places} }`,
  );
}

/** Returns the edit that puts entries at the begin of the map at `path`: as lines, or within braces if the map has them. */
function insertEntries(
  text: string,
  root: YamlNode,
  path: readonly string[],
  lines: (indent: string) => readonly string[],
  inBraces: string,
): readonly TextEdit[] | null {
  const { key, value, node } = locate(root, path);
  if (node.kind !== 'map' || !key) return null;
  if (isFlowStyle(text, value.start)) {
    const at = value.start + 1;
    return [{ start: at, end: at, text: node.entries.size === 0 ? ` ${inBraces} ` : ` ${inBraces},` }];
  }
  const first = firstKeyOffset(root, path, node);
  if (first === null) return null;
  const lineStart = text.lastIndexOf('\n', first - 1) + 1;
  const indent = text.slice(lineStart, first);
  return indent.trim() === '' && lineStart > key.end ? [insertLines(text, key.end, lines(indent))] : null;
}

function hasPath(root: YamlNode, path: readonly string[]): boolean {
  let node: YamlNode | undefined = root;
  for (const step of path) node = node?.kind === 'map' ? node.entries.get(step)?.node : undefined;
  return node !== undefined;
}

function firstKeyOffset(root: YamlNode, path: readonly string[], map: YamlMap): number | null {
  const [name] = map.entries.keys();
  return name === undefined ? null : (locate(root, [...path, name]).key?.start ?? null);
}

/** Lines of their own behind the one in which `offset` is, ended as that one is. */
function insertLines(text: string, offset: number, lines: readonly string[]): TextEdit {
  const end = text.indexOf('\n', offset);
  if (end === -1) return { start: text.length, end: text.length, text: `\n${lines.join('\n')}` };
  const lineEnd = text.charAt(end - 1) === '\r' ? '\r\n' : '\n';
  return { start: end + 1, end: end + 1, text: lines.map((line) => line + lineEnd).join('') };
}

function isFlowStyle(text: string, start: number): boolean {
  return text.charAt(start) === '{';
}

function toRange({ start, end }: { readonly start: number; readonly end: number }) {
  return { start, end };
}

/** Returns a publication's setting as the file has it. */
export function formatSetting({ state, version }: Pick<PublicationEdit, 'state' | 'version'>): string {
  return version === null || state === 'offline' ? state : `{ state: ${state}, version: ${formatScalar(version)} }`;
}

/** What YAML could take for something else than a text is quoted; a number is none here. */
function formatScalar(text: string): string {
  return /^[A-Za-z0-9][\w.-]*$/.test(text) && !/^(?:true|false|null|yes|no|on|off|y|n)$/i.test(text) ? text : JSON.stringify(text);
}
