import type { Dirent } from 'node:fs';
import { readdir, realpath, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import picomatch from 'picomatch';
import { expandRange } from '../plan/target-patterns.ts';
import type { SourceFolder } from './source-folder.ts';
import { describeReadError, isNotFoundError } from './text-file.ts';

/** The files and directories that an entry of `include` matches. */
export interface ExpandedPattern {
  /** Absolute paths of the matching files. Symbolic links are not resolved. */
  readonly files: readonly string[];
  /** Absolute paths of the directories in which a new entry could match. */
  readonly directories: readonly string[];
  /** The error in the entry; `null` if there is none. */
  readonly problem: { readonly message: string; readonly hint: string | null } | null;
}

/** A pattern that visits more directories is most likely wrong, and walking them would take too long. */
const maxDirectories = 1000;

/**
 * Expands an entry of `include`; nothing outside of `folder` is looked at. A text that is an existing path is that path. `*`, `?`, `[…]` and
 * `{…,…}` stop at `/`, `**` does not. None of them matches names that start with a dot, such as the folders behind a
 * ConfigMap, unless the pattern spells the dot. Links are followed.
 */
export async function expandPattern(folder: SourceFolder, pattern: string): Promise<ExpandedPattern> {
  const path = resolve(folder.directory, pattern);
  const { base, glob, isGlob } = picomatch.scan(pattern, { nonegate: true });
  const baseDirectory = resolve(folder.directory, base);
  if (![path, ...(isGlob ? [baseDirectory] : [])].every((one) => folder.mayContain(one))) {
    return { files: [], directories: [], problem: describeOutside(JSON.stringify(pattern)) };
  }
  const pathKind = await readPathKind(folder, path);
  if (pathKind.kind === 'file') return { files: [path], directories: [], problem: null };
  if (!isGlob || pathKind.kind !== 'absent') return { files: [path], directories: [], problem: describeProblem(pathKind, pattern) };

  const walk = new PatternWalk(folder, glob);
  try {
    await walk.visit(baseDirectory, '', []);
  } catch (error) {
    if (!(error instanceof WalkError)) throw error;
    return { files: [], directories: walk.directories, problem: error };
  }
  return { files: walk.files, directories: walk.directories, problem: null };
}

type PathKind =
  | { readonly kind: 'file' | 'directory' | 'absent' | 'other' | 'outside' | 'not yaml' }
  | { readonly kind: 'unreadable'; readonly why: string };

async function readPathKind(folder: SourceFolder, path: string): Promise<PathKind> {
  const resolved = await folder.resolve(path);
  if (resolved.kind === 'unreadable') return { kind: 'unreadable', why: resolved.reason };
  if (resolved.kind === 'outside' || resolved.kind === 'absent') return { kind: resolved.kind };
  try {
    const stats = await stat(folder.locate(path));
    if (stats.isDirectory()) return { kind: 'directory' };
    return { kind: !stats.isFile() ? 'other' : resolved.kind === 'inside' ? 'file' : 'not yaml' };
  } catch (error) {
    return isNotFoundError(error) ? { kind: 'absent' } : { kind: 'unreadable', why: describeReadError(error) };
  }
}

function describeProblem(pathKind: PathKind, pattern: string): ExpandedPattern['problem'] {
  const name = JSON.stringify(pattern);
  switch (pathKind.kind) {
    case 'absent':
      return { message: `${name} does not exist`, hint: "paths are relative to this file's folder" };
    case 'directory':
      return { message: `${name} is a directory`, hint: `use "${pattern.replace(/\/+$/, '')}/*.yaml" to include the files in it` };
    case 'unreadable':
      return { message: `${name} cannot be read: ${pathKind.why}`, hint: null };
    case 'outside':
      return describeOutside(name);
    case 'not yaml':
      return describeNotYaml(name);
    case 'file':
    case 'other':
      return { message: `${name} is not a regular file`, hint: null };
  }
}

/** Describes a file that is not named as YAML files are. */
export function describeNotYaml(name: string): NonNullable<ExpandedPattern['problem']> {
  return { message: `${name} is not a YAML file`, hint: 'only files named *.yaml or *.yml can be included' };
}

/** Describes a path that leaves the folder of the file. */
export function describeOutside(name: string): NonNullable<ExpandedPattern['problem']> {
  const hint = "included files must be in this file's folder or below; the operator can allow another one: --allow-include FOLDER";
  return { message: `${name} leads out of this file's folder`, hint };
}

class WalkError extends Error {
  readonly hint: string | null;

  constructor(message: string, hint: string | null = null) {
    super(message);
    this.hint = hint;
  }
}

/** One walk through the directories that a pattern may match. */
class PatternWalk {
  readonly files: string[] = [];
  readonly directories: string[] = [];
  readonly #folder: SourceFolder;
  readonly #isMatch: (path: string) => boolean;
  readonly #maxDepth: number;
  readonly #includesHidden: boolean;

  constructor(folder: SourceFolder, glob: string) {
    this.#folder = folder;
    this.#isMatch = picomatch(glob, { windows: false, nonegate: true, noextglob: true, expandRange });
    this.#maxDepth = glob.includes('**') ? Number.POSITIVE_INFINITY : glob.split('/').length;
    this.#includesHidden = /(?:^|[/{,])\\?\./.test(glob);
  }

  /** `below` is the path from the pattern's base. `above` holds the resolved directories on it, to detect links that lead back. */
  async visit(directory: string, relativeBase: string, ancestors: readonly string[]): Promise<void> {
    this.directories.push(directory);
    if (this.directories.length > maxDirectories) {
      throw new WalkError(`the pattern covers more than ${maxDirectories} directories`, 'use a narrower pattern');
    }
    const entries = await readDirectory(this.#folder, directory);
    if (entries === null || ancestors.includes(entries.real)) return;
    for (const entry of entries.list) {
      if (entry.name.startsWith('.') && !this.#includesHidden) continue;
      const path = join(directory, entry.name);
      const relative = relativeBase === '' ? entry.name : `${relativeBase}/${entry.name}`;
      const isDirectory = entry.isSymbolicLink() ? await isDirectoryAt(this.#folder.locate(path)) : entry.isDirectory();
      if (!isDirectory) {
        if (this.#isMatch(relative)) this.files.push(path);
      } else if (relative.split('/').length < this.#maxDepth) await this.visit(path, relative, [...ancestors, entries.real]);
    }
  }
}

/** Returns the entries of a directory; `null` if it does not exist or is not a directory. Throws a WalkError if a link leads out of `folder`. */
async function readDirectory(
  folder: SourceFolder,
  directory: string,
): Promise<{ readonly list: readonly Dirent[]; readonly real: string } | null> {
  try {
    const real = await realpath(folder.locate(directory));
    if (folder.contains(real)) return { list: await readdir(real, { withFileTypes: true }), real };
  } catch (error) {
    if (isNotFoundError(error)) return null;
    throw new WalkError(`${directory} cannot be listed: ${describeReadError(error)}`);
  }
  const { message, hint } = describeOutside(directory);
  throw new WalkError(message, hint);
}

async function isDirectoryAt(path: string): Promise<boolean> {
  return stat(path).then(
    (stats) => stats.isDirectory(),
    () => false,
  );
}
