import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import type { AppContext } from '../../model/app-context.ts';
import type { DesiredState } from '../../model/desired-state.ts';
import { EdictError } from '../../model/errors.ts';
import type { DeclaredApi } from '../../source/export/declared-apis.ts';
import type { FilePatch, NewEnvironment, PublicationEdit } from '../../source/export/patch.ts';
import type { SourceText } from '../../source/include-reader.ts';
import type { ParseInput } from '../../source/parser.ts';
import type { Variables } from '../../source/variables.ts';

/** A patch to the file and its included files. */
export interface FilesPatch extends FilePatch {
  /** The folder in which to apply the diff; `null` for the working directory. */
  readonly folder: string | null;
}

/** The texts of the file and its included files. */
export interface PatchableFiles {
  /** The path of the file as given. */
  readonly file: string;
  /** The file itself first. */
  readonly sources: readonly SourceText[];
  readonly declaredApis: readonly DeclaredApi[];
  readonly variables: Variables;
}

/** Additions besides publications, and the state that the files declare now. */
export interface PatchTarget {
  readonly desired: DesiredState;
  readonly newEnvironments?: readonly NewEnvironment[];
  readonly apiComments?: ReadonlyMap<string, readonly string[]>;
}

/** Reads the file and its included files again; they were readable a moment ago. Throws an EdictError `FILE_UNREADABLE` if they are not now. */
export async function readPatchableFiles({ settings: { file, allowedFolders }, env }: AppContext): Promise<PatchableFiles> {
  const { readFileSet, parseIncludes } = await import('../../source/include-reader.ts');
  const { parseYaml } = await import('../../source/yaml/tree.ts');
  const { listDeclaredApis } = await import('../../source/export/declared-apis.ts');
  const { main, included, diagnostics } = await readFileSet(resolve(file), {
    includesOf: async (text) => parseIncludes(parseYaml(text)),
    allowedFolders,
  });
  if (main.kind !== 'read' || diagnostics.length > 0)
    throw new EdictError('FILE_UNREADABLE', `${file} or its included files cannot be read any more`);
  const sources = [{ file, relativePath: '', text: main.text }, ...included];
  return { file, sources, declaredApis: listDeclaredApis(sources), variables: env };
}

/** Returns the folder in which to apply a patch to `file`; `null` for the working directory. */
export function patchFolder(file: string): string | null {
  const path = resolve(file);
  const fromHere = relative('', path);
  return fromHere.startsWith('..') || isAbsolute(fromHere) ? dirname(path) : null;
}

/** Returns the patch that makes the files declare the requested states: each publication in the file that declares its API, otherwise in the main file. */
export async function patchFiles(
  { file, sources, declaredApis, variables }: PatchableFiles,
  requested: readonly PublicationEdit[],
  { desired, newEnvironments = [], apiComments = new Map() }: PatchTarget,
): Promise<FilesPatch> {
  const { createPatch } = await import('../../source/export/patch.ts');
  const folder = patchFolder(file);
  const path = resolve(file);
  const nameOf = (home: string): string =>
    relative(folder ?? '', join(dirname(path), home || basename(path)))
      .split(sep)
      .join('/');
  const homes = new Map(declaredApis.map(({ key, relativePath }) => [key, relativePath]));
  const homeOf = ({ key, api }: PublicationEdit): string => desired.publications.get(key)?.sourceFile ?? homes.get(api) ?? '';
  const byHome = Map.groupBy(requested, homeOf);
  // The main file comes first, because the included files use the environments that are added to it.
  const texts = new Map(sources.map(({ relativePath, text }) => [relativePath, text]));
  let known = desired;
  const patches: FilePatch[] = [];
  for (const { relativePath, text } of sources) {
    const isMain = relativePath === '';
    const edits = byHome.get(relativePath) ?? [];
    if (edits.length === 0 && !(isMain && newEnvironments.length > 0)) continue;
    const toParseInput = (other: string): ParseInput => {
      const textOf = (home: string): string => (home === relativePath ? other : (texts.get(home) ?? ''));
      const included = sources.slice(1).map((source) => ({ ...source, text: textOf(source.relativePath) }));
      return { file, text: textOf(''), variables, included };
    };
    const input = { text, file: nameOf(relativePath), toParseInput, desired: known, apiComments };
    const patch = createPatch({ ...input, newEnvironments: isMain ? newEnvironments : [] }, edits);
    if (patch.hasNewEnvironments) known = withEnvironments(known, newEnvironments);
    texts.set(relativePath, patch.text);
    patches.push(patch);
  }
  return { folder, diff: patches.map(({ diff }) => diff).join(''), manualEdits: patches.flatMap(({ manualEdits }) => manualEdits) };
}

function withEnvironments(desired: DesiredState, added: readonly NewEnvironment[]): DesiredState {
  const defaults = { isProtected: false, maxOffline: null, suspension: null };
  return {
    ...desired,
    environments: new Map([...desired.environments, ...added.map(({ key, id }) => [id, { ...defaults, name: key, id }] as const)]),
  };
}
