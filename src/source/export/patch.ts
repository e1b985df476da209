import type { DesiredPublication, DesiredState, Environment } from '../../model/desired-state.ts';
import { type NameKey, type NameRef, type NameResolution, nameKey } from '../../model/name-ref.ts';
import type { PublicationKey, PublicationNames, PublicationState } from '../../model/publication.ts';
import { type ParseInput, parseFile } from '../parser.ts';
import { type KeyPath, locate } from '../yaml/source-ranges.ts';
import { parseYaml, type YamlNode } from '../yaml/tree.ts';
import { type ExportedEnvironment, environmentComment, releaseEnvironmentId } from './identifiers.ts';
import {
  formatFlowValue,
  formatScalar,
  indentOfLine,
  insertEntries,
  isFlow,
  linesEdit,
  type NewEntry,
  type NewValue,
  nextLine,
  type ParsedText,
} from './insertion.ts';
import { applyEdits, formatUnifiedDiff, type TextEdit } from './unified-diff.ts';

/** The requested state of one publication in the file. */
export interface PublicationEdit extends PublicationNames {
  readonly key: PublicationKey;
  readonly state: PublicationState;
  /** The version to pin; `null`: none. */
  readonly version: string | null;
  /** The revision of this publication alone; default: none is written. */
  readonly revision?: string | null;
}

/** An environment to declare. */
export type NewEnvironment = Pick<ExportedEnvironment, 'key' | 'id' | 'name' | 'isListed'>;

/** The changes that make a file declare the requested states. */
export interface FilePatch {
  /** A unified diff; empty if no edit can be made automatically. */
  readonly diff: string;
  /** Edits that a person must make, because changing a line or two is not enough. */
  readonly manualEdits: readonly PublicationEdit[];
}

/** The patch of one file, and its text once the patch is applied. */
export interface PatchedText extends FilePatch {
  readonly text: string;
  /** Whether the new environments are declared. */
  readonly hasNewEnvironments: boolean;
}

export interface PatchInput {
  readonly text: string;
  /** The file's name in the diff, relative. */
  readonly file: string;
  /** Returns the parser's input if the file had another text. The file may include others or be included. */
  readonly toParseInput: (text: string) => ParseInput;
  /** The desired state that the file declares now. */
  readonly desired: DesiredState;
  /** The environments to add to this file. */
  readonly newEnvironments?: readonly NewEnvironment[];
  /** Comment lines for APIs that are added, by ID. */
  readonly apiComments?: ReadonlyMap<string, readonly string[]>;
}

/**
 * Returns the patch that makes the file declare the requested states and changes nothing else. Each edit is tried: the result
 * is parsed again, and if another publication changes too, because YAML aliases repeat values, the edit is left to a person. A
 * pure function.
 */
export function createPatch(input: PatchInput, requested: readonly PublicationEdit[]): PatchedText {
  const { text, file, newEnvironments = [] } = input;
  const parsed = { text, root: parseYaml(text).root };
  const before = parseDeclarations(text, input);
  const environments = { publicationEdits: [], textEdits: [], insertions: newEnvironments.map(environmentInsertion) };
  const textOf = (groups: readonly EditGroup[]): string => applyEdits(text, collectTextEdits(parsed, groups));
  const isCorrectWith = (added: readonly NewEnvironment[], groups: readonly EditGroup[]): boolean =>
    before !== null && isEditedAsRequested(before, parseDeclarations(textOf(groups), input), { groups, newEnvironments: added });
  const hasNewEnvironments = newEnvironments.length > 0 && isCorrectWith(newEnvironments, [environments]);
  const added = hasNewEnvironments ? newEnvironments : [];
  const base = hasNewEnvironments ? [environments] : [];
  const isCorrect = (groups: readonly EditGroup[]): boolean => isCorrectWith(added, [...base, ...groups]);
  const found = groupEdits(parsed, requested.map(useCurrentNames(input.desired)), { ...input, newEnvironments: added });
  const places = new Map<string, boolean>();
  const hasPlace = (insertion: Insertion): boolean => {
    const name = JSON.stringify(insertion.path);
    const known = places.get(name) ?? insertionEdits(parsed, [insertion]) !== null;
    places.set(name, known);
    return known;
  };
  const possible = found.filter(({ insertions }) => insertions.every(hasPlace));
  const applied = [...base, ...largestCorrect(possible, isCorrect)];
  const done = new Set(applied.flatMap((group) => group.publicationEdits.map(({ key }) => key)));
  return {
    text: textOf(applied),
    hasNewEnvironments,
    diff: formatUnifiedDiff(file, text, collectTextEdits(parsed, applied)),
    manualEdits: requested.filter(({ key }) => !done.has(key)),
  };
}

/** Up to this many combinations of edits are tried if all of them together give a wrong result. Each try parses the file. */
const maxTries = 50;

/** Returns the groups without those that give a wrong result: halves of a wrong part are tried separately. */
function largestCorrect(all: readonly EditGroup[], isCorrect: (groups: readonly EditGroup[]) => boolean): readonly EditGroup[] {
  let tries = 0;
  const correctPart = (groups: readonly EditGroup[]): readonly EditGroup[] => {
    if (groups.length === 0 || tries >= maxTries) return [];
    tries += 1;
    if (isCorrect(groups)) return groups;
    const middle = Math.ceil(groups.length / 2);
    return groups.length === 1 ? [] : [...correctPart(groups.slice(0, middle)), ...correctPart(groups.slice(middle))];
  };
  const candidates = correctPart(all);
  return candidates.length === 0 || candidates.length === all.length || isCorrect(candidates) ? candidates : [];
}

/** Edits that are made together or not at all. */
interface EditGroup {
  readonly publicationEdits: readonly PublicationEdit[];
  readonly textEdits: readonly TextEdit[];
  readonly insertions: readonly Insertion[];
}

/** An entry to add to the map at `path`. */
interface Insertion {
  readonly path: KeyPath;
  readonly entry: NewEntry;
}

/** Returns the edits of all groups: those inside an entry come before those after it at the same offset. */
function collectTextEdits(parsed: ParsedText, groups: readonly EditGroup[]): readonly TextEdit[] {
  return [
    ...groups.flatMap(({ textEdits }) => textEdits),
    ...(insertionEdits(
      parsed,
      groups.flatMap(({ insertions }) => insertions),
    ) ?? []),
  ];
}

/** Returns the edits that add all entries; `null` if one of them cannot be added. */
function insertionEdits(parsed: ParsedText, insertions: readonly Insertion[]): readonly TextEdit[] | null {
  const byPath = [...Map.groupBy(insertions, ({ path }) => JSON.stringify(path)).values()].sort(
    ([a], [b]) => (b?.path.length ?? 0) - (a?.path.length ?? 0),
  );
  const edits: TextEdit[] = [];
  for (const same of byPath) {
    const inserted = insertEntries(
      parsed,
      same[0]?.path ?? [],
      same.map(({ entry }) => entry),
    );
    if (inserted === null) return null;
    edits.push(...inserted);
  }
  return edits;
}

/** Replaces API names that the file does not use for an API any more. */
function useCurrentNames({ publications }: DesiredState): (request: PublicationEdit) => PublicationEdit {
  const namesOf = Map.groupBy(publications.values(), ({ apiId }) => apiId);
  return (request) => {
    const declared = namesOf.get(request.apiId) ?? [];
    return declared.some(({ api }) => api === request.api) ? request : { ...request, api: declared.at(-1)?.api ?? request.api };
  };
}

function groupEdits(
  parsed: ParsedText,
  requested: readonly PublicationEdit[],
  { desired: { publications, environments }, newEnvironments = [], apiComments }: PatchInput,
): EditGroup[] {
  const idOfEnvironment = new Map(
    [...environments.values(), ...newEnvironments.map(({ key, id }) => ({ name: key, id }))].map(({ name, id }) => [name, id]),
  );
  const isInFile = ({ key }: PublicationEdit): boolean => publications.has(key);
  const isEnvironmentKnown = ({ environment, environmentId }: PublicationEdit): boolean =>
    idOfEnvironment.get(environment) === environmentId;
  const idOf = new Map([...publications.values()].map(({ api, apiId }) => [api, apiId]));
  const isFree = ({ api, apiId }: PublicationEdit): boolean => (idOf.get(api) ?? apiId) === apiId;
  const missing = requested.filter((request) => !isInFile(request) && isEnvironmentKnown(request) && isFree(request));
  return [
    ...requested.filter(isInFile).flatMap((request) => {
      const textEdits = editExisting(parsed, request);
      return textEdits ? [{ publicationEdits: [request], textEdits, insertions: [] }] : [];
    }),
    ...[...Map.groupBy(missing, ({ apiId }) => apiId)].map(([apiId, apiEdits]) => ({
      publicationEdits: apiEdits,
      textEdits: [],
      insertions: addMissing(parsed, apiEdits, apiComments?.get(apiId) ?? []),
    })),
  ];
}

/** The declarations of a file, by the names in it. */
interface Declarations {
  readonly publications: ReadonlyMap<string, DesiredPublication>;
  readonly environments: ReadonlyMap<string, Environment>;
}

/** Returns what a file declares; `null` if it is not valid. */
function parseDeclarations(text: string, { toParseInput }: PatchInput): Declarations | null {
  try {
    const parsed = parseFile(toParseInput(text));
    const { publications, environments } = parsed.toDesiredState(placeholderResolutions(parsed.nameRefs));
    return {
      publications: new Map([...publications.values()].map((publication) => [formatName(publication), publication])),
      environments: new Map([...environments.values()].map((environment) => [environment.name, environment])),
    };
  } catch {
    return null;
  }
}

/** The IDs do not matter here, as long as each name always gets the same one. */
function placeholderResolutions(names: readonly NameRef[]): ReadonlyMap<NameKey, NameResolution> {
  return new Map(names.map((name, index) => [nameKey(name), { kind: 'one', id: `_${index}` }]));
}

interface RequestedEdits {
  readonly groups: readonly EditGroup[];
  readonly newEnvironments: readonly NewEnvironment[];
}

function isEditedAsRequested(before: Declarations, after: Declarations | null, { groups, newEnvironments }: RequestedEdits): boolean {
  if (after === null) return false;
  const requested = groups.flatMap((group) => group.publicationEdits);
  const requestedByName = new Map(requested.map((request) => [formatName(request), request]));
  const names = new Set([...before.publications.keys(), ...after.publications.keys(), ...requestedByName.keys()]);
  const newIds = new Map(newEnvironments.map(({ key, id }) => [key, id]));
  const areEnvironmentsCorrect = [...new Set([...before.environments.keys(), ...after.environments.keys(), ...newIds.keys()])].every(
    (name) =>
      newIds.has(name)
        ? after.environments.get(name)?.id === newIds.get(name)
        : JSON.stringify(after.environments.get(name)) === JSON.stringify(before.environments.get(name)),
  );
  const arePublicationsCorrect = [...names].every((name) => {
    const [was, is, request] = [before.publications.get(name), after.publications.get(name), requestedByName.get(name)];
    if (!is) return false;
    if (!request) return serializeContent(was) === serializeContent(is);
    if (is.nameRef === null && is.apiId !== request.apiId) return false;
    if (request.revision != null && is.revision !== request.revision) return false;
    return is.state === request.state && (request.state === 'offline' || is.version === request.version);
  });
  return areEnvironmentsCorrect && arePublicationsCorrect;
}

function formatName({ api, environment }: PublicationNames): string {
  return `${api} ${environment}`;
}

function serializeContent(publication: DesiredPublication | undefined): string {
  return JSON.stringify(publication && { ...publication, source: null });
}

/** Returns the edits that set the requested state of a declared publication; `null` if it cannot be edited. */
function editExisting({ text, root }: ParsedText, request: PublicationEdit): readonly TextEdit[] | null {
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
  if (isFlow(text, value.start)) return [{ ...toRange(state.value), text: `${request.state}, ${pin}` }];
  const indent = state.key && indentOfLine(text, state.key.start);
  return indent === null ? null : [...edits, linesEdit(text, nextLine(text, state.value.end), [`${indent}${pin}`])];
}

/** Returns the entries that add publications of one API, and the API if it is missing. */
function addMissing({ root }: ParsedText, requested: readonly PublicationEdit[], comments: readonly string[]): readonly Insertion[] {
  const [{ api, apiId } = { api: '', apiId: '' }] = requested;
  const publications = requested.map((request) => ({ key: request.environment, value: toSetting(request) }));
  const path = ['apis', api];
  if (hasPath(root, path)) return publications.map((entry) => ({ path: [...path, 'environments'], entry }));
  const value = [
    { key: 'id', value: apiId },
    { key: 'environments', value: publications },
  ];
  return [{ path: ['apis'], entry: { key: api, value, before: comments } }];
}

function environmentInsertion({ key, id, name, isListed }: NewEnvironment): Insertion {
  const settings = [
    { key: 'id', value: id },
    { key: 'protected', value: true },
  ];
  const entry = { key, value: id === releaseEnvironmentId ? settings : id, after: environmentComment({ key, name, isListed }) };
  return { path: ['environments'], entry };
}

function hasPath(root: YamlNode, path: readonly string[]): boolean {
  let node: YamlNode | undefined = root;
  for (const step of path) node = node?.kind === 'map' ? node.entries.get(step)?.node : undefined;
  return node !== undefined;
}

function toRange({ start, end }: { readonly start: number; readonly end: number }) {
  return { start, end };
}

/** Returns a publication's setting: its state, or a map with its version or revision too. */
function toSetting({ state, version, revision = null }: Pick<PublicationEdit, 'state' | 'version' | 'revision'>): NewValue {
  const more = [
    ...(revision === null ? [] : [{ key: 'revision', value: revision }]),
    ...(version === null || state === 'offline' ? [] : [{ key: 'version', value: version }]),
  ];
  return more.length === 0 ? state : [{ key: 'state', value: state }, ...more];
}

/** Returns a publication's setting in the file's notation. */
export function formatSetting(setting: Pick<PublicationEdit, 'state' | 'version'>): string {
  return formatFlowValue(toSetting(setting));
}
