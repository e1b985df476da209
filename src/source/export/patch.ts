import type { DesiredPublication, DesiredState } from '../../model/desired-state.ts';
import { type NameKey, type NameRef, type NameResolution, nameKey } from '../../model/name-ref.ts';
import type { PublicationKey, PublicationNames, PublicationState } from '../../model/publication.ts';
import { type ParseInput, parseFile } from '../parser.ts';
import { locate } from '../yaml/source-ranges.ts';
import { parseYaml, type YamlMap, type YamlNode } from '../yaml/tree.ts';
import { applyEdits, formatUnifiedDiff, type TextEdit } from './unified-diff.ts';

/** The requested state of one publication in the file. */
export interface PublicationEdit extends PublicationNames {
  readonly key: PublicationKey;
  readonly state: PublicationState;
  /** The version to pin; `null`: none. */
  readonly version: string | null;
}

/** The changes that make a file declare the requested states. */
export interface FilePatch {
  /** A unified diff; empty if no edit can be made automatically. */
  readonly diff: string;
  /** Edits that a person must make, because changing a line or two is not enough. */
  readonly manualEdits: readonly PublicationEdit[];
}

export interface PatchInput {
  readonly text: string;
  /** The file's name in the diff, relative. */
  readonly file: string;
  /** Returns the parser's input if the file had another text. The file may include others or be included. */
  readonly toParseInput: (text: string) => ParseInput;
  /** The desired state that the file declares now. */
  readonly desired: DesiredState;
}

/**
 * Returns the patch that makes the file declare the requested states and changes nothing else. Each edit is tried: the result
 * is parsed again, and if another publication changes too, because YAML aliases repeat values, the edit is left to a person. A
 * pure function.
 */
export function createPatch(input: PatchInput, requested: readonly PublicationEdit[]): FilePatch {
  const { text, file, desired } = input;
  const { root } = parseYaml(text);
  const groups = groupEdits({ text, root }, requested.map(useCurrentNames(desired)), desired);
  const before = parsePublications(text, input);
  const isCorrect = (some: readonly EditGroup[]): boolean => {
    const wanted = some.flatMap((group) => group.publicationEdits);
    return before !== null && isEditedAsRequested(before, parsePublications(applyEdits(text, collectTextEdits(some)), input), wanted);
  };
  const candidates = groups.length <= maxSeparateTries && !isCorrect(groups) ? groups.filter((group) => isCorrect([group])) : groups;
  const applied = isCorrect(candidates) ? candidates : [];
  const done = new Set(applied.flatMap((group) => group.publicationEdits.map(({ key }) => key)));
  return { diff: formatUnifiedDiff(file, text, collectTextEdits(applied)), manualEdits: requested.filter(({ key }) => !done.has(key)) };
}

/** Up to this many edits are tried one by one if all of them together give a wrong result. Each try parses the file. */
const maxSeparateTries = 50;

/** Edits that are made together or not at all. */
interface EditGroup {
  readonly publicationEdits: readonly PublicationEdit[];
  readonly textEdits: readonly TextEdit[];
}

function collectTextEdits(groups: readonly EditGroup[]): readonly TextEdit[] {
  return groups.flatMap(({ textEdits }) => textEdits);
}

/** Replaces API names, because the file may use another name by now. */
function useCurrentNames({ publications }: DesiredState): (request: PublicationEdit) => PublicationEdit {
  const nameOf = new Map([...publications.values()].map(({ apiId, api }) => [apiId, api]));
  return (request) => ({ ...request, api: nameOf.get(request.apiId) ?? request.api });
}

interface ParsedText {
  readonly text: string;
  readonly root: YamlNode;
}

function groupEdits(
  { text, root }: ParsedText,
  requested: readonly PublicationEdit[],
  { publications, environments }: DesiredState,
): EditGroup[] {
  const isInFile = ({ key }: PublicationEdit): boolean => publications.has(key);
  const isEnvironmentKnown = ({ environment, environmentId }: PublicationEdit): boolean =>
    environments.get(environmentId)?.name === environment;
  const idOf = new Map([...publications.values()].map(({ api, apiId }) => [api, apiId]));
  const isFree = ({ api, apiId }: PublicationEdit): boolean => (idOf.get(api) ?? apiId) === apiId;
  const missing = requested.filter((request) => !isInFile(request) && isEnvironmentKnown(request) && isFree(request));
  const found = [
    ...requested.filter(isInFile).map((request) => ({ publicationEdits: [request], textEdits: editExisting(text, root, request) })),
    ...[...Map.groupBy(missing, ({ apiId }) => apiId).values()].map((apiEdits) => ({
      publicationEdits: apiEdits,
      textEdits: addMissing(text, root, apiEdits),
    })),
  ];
  return found.flatMap(({ publicationEdits: apiEdits, textEdits }) => (textEdits ? [{ publicationEdits: apiEdits, textEdits }] : []));
}

/** The publications that a file declares, by their names in it; `null` if it is not valid. */
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

/** The IDs do not matter here, as long as each name always gets the same one. */
function placeholderResolutions(names: readonly NameRef[]): ReadonlyMap<NameKey, NameResolution> {
  return new Map(names.map((name, index) => [nameKey(name), { kind: 'one', id: `_${index}` }]));
}

function isEditedAsRequested(before: PublicationsByName, after: PublicationsByName | null, requested: readonly PublicationEdit[]): boolean {
  if (after === null) return false;
  const requestedByName = new Map(requested.map((request) => [formatName(request), request]));
  const names = new Set([...before.keys(), ...after.keys(), ...requestedByName.keys()]);
  return [...names].every((name) => {
    const [was, is, request] = [before.get(name), after.get(name), requestedByName.get(name)];
    if (!is) return false;
    if (!request) return serializeContent(was) === serializeContent(is);
    if (is.nameRef === null && is.apiId !== request.apiId) return false;
    return is.state === request.state && (request.state === 'offline' || is.version === request.version);
  });
}

function formatName({ api, environment }: PublicationNames): string {
  return `${api} ${environment}`;
}

function serializeContent(publication: DesiredPublication | undefined): string {
  return JSON.stringify(publication && { ...publication, source: null });
}

/** Returns the edits that set the requested state of a declared publication; `null` if it cannot be edited. */
function editExisting(text: string, root: YamlNode, request: PublicationEdit): readonly TextEdit[] | null {
  const path = ['apis', request.api, 'environments', request.environment];
  const { value, node } = locate(root, path);
  if (node.kind === 'scalar') return [{ ...toRange(value), text: formatSetting(request) }];
  if (node.kind !== 'map') return null;
  const state = locate(root, [...path, 'state']);
  const edits: TextEdit[] = [{ ...toRange(state.value), text: request.state }];
  if (request.version === null) return edits;
  if (node.entries.has('version'))
    return [...edits, { ...toRange(locate(root, [...path, 'version']).value), text: formatScalar(request.version) }];
  const pin = `version: ${formatScalar(request.version)}`;
  if (isFlowStyle(text, value.start)) return [{ ...toRange(state.value), text: `${request.state}, ${pin}` }];
  const lineStart = text.lastIndexOf('\n', (state.key?.start ?? 0) - 1) + 1;
  const indent = text.slice(lineStart, state.key?.start ?? lineStart);
  if (indent.trim() !== '') return null;
  return [...edits, insertLines(text, state.value.end, [`${indent}${pin}`])];
}

/** Returns the edits that add publications of one API, and the API if it is missing; `null` if they cannot be added. */
function addMissing(text: string, root: YamlNode, requested: readonly PublicationEdit[]): readonly TextEdit[] | null {
  const [first] = requested;
  if (!first) return null;
  const entries = requested.map((request) => `${formatScalar(request.environment)}: ${formatSetting(request)}`);
  const path = ['apis', first.api, 'environments'];
  if (hasPath(root, path))
    return insertEntries({ text, root }, path, {
      lines: (indent) => entries.map((entry) => `${indent}${entry}`),
      inBraces: entries.join(', '),
    });
  const places = `environments: { ${entries.join(', ')} }`;
  return insertEntries({ text, root }, ['apis'], {
    lines: (indent) => [`${indent}${formatScalar(first.api)}:`, `${indent}  id: ${formatScalar(first.apiId)}`, `${indent}  ${places}`],
    inBraces: `${formatScalar(first.api)}: { id: ${formatScalar(first.apiId)}, ${places} }`,
  });
}

interface InsertedEntries {
  readonly lines: (indent: string) => readonly string[];
  readonly inBraces: string;
}

/** Returns the edit that inserts entries at the start of the map at `path`: as lines, or inside braces for a flow map. */
function insertEntries(
  { text, root }: ParsedText,
  path: readonly string[],
  { lines, inBraces }: InsertedEntries,
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

/** Inserts lines after the line at `offset`, with the same line ends. */
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

/** Returns a publication's setting in the file's notation. */
export function formatSetting({ state, version }: Pick<PublicationEdit, 'state' | 'version'>): string {
  return version === null || state === 'offline' ? state : `{ state: ${state}, version: ${formatScalar(version)} }`;
}

/** Quotes text that YAML could parse as another type. Numbers need no quotes here. */
function formatScalar(text: string): string {
  return /^[A-Za-z0-9][\w.-]*$/.test(text) && !/^(?:true|false|null|yes|no|on|off|y|n)$/i.test(text) ? text : JSON.stringify(text);
}
