import type { Dirent } from 'node:fs';
import { opendir, realpath, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { compileGlob, type Glob } from '../plan/glob.ts';
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

/** The most that the patterns of one file may cost together: there may be a thousand, and their author wrote the folders too. */
export class WalkBudget {
  #directories = 10_000;
  #entries = 100_000;
  #steps = 20_000_000;

  /** Counts work; throws a WalkError if it is more than is left. */
  spend(work: { readonly directories?: number; readonly entries?: number; readonly steps?: number }): void {
    this.#directories -= work.directories ?? 0;
    this.#entries -= work.entries ?? 0;
    this.#steps -= work.steps ?? 0;
    const message =
      this.#directories < 0 || this.#entries < 0
        ? 'the patterns cover too many files and directories'
        : this.#steps < 0
          ? 'the patterns take too long to match'
          : null;
    if (message !== null) throw new WalkError(message, 'use fewer or narrower patterns');
  }
}

/**
 * Expands an entry of `include`; nothing outside of `folder` is looked at. A text that is an existing path is that path. `*`, `?`, `[…]` and
 * `{…,…}` stop at `/`, `**` does not. None of them matches names that start with a dot, such as the folders behind a
 * ConfigMap, unless the pattern spells the dot. Links are followed.
 */
export async function expandPattern(folder: SourceFolder, pattern: string, budget = new WalkBudget()): Promise<ExpandedPattern> {
  const path = resolve(folder.directory, pattern);
  const { base, glob } = splitPattern(pattern);
  const isGlob = glob !== '';
  const baseDirectory = resolve(folder.directory, base);
  if (![path, ...(isGlob ? [baseDirectory] : [])].every((one) => folder.mayContain(one))) {
    return { files: [], directories: [], problem: describeOutside(JSON.stringify(pattern)) };
  }
  const pathKind = await readPathKind(folder, path);
  if (pathKind.kind === 'file') return { files: [path], directories: [], problem: null };
  if (!isGlob || pathKind.kind !== 'absent') return { files: [path], directories: [], problem: describeProblem(pathKind, pattern) };

  const walk = new PatternWalk(folder, glob, budget);
  try {
    await walk.visit(baseDirectory, '', []);
  } catch (error) {
    if (!(error instanceof WalkError)) throw error;
    return { files: [], directories: walk.directories, problem: error };
  }
  return { files: walk.files, directories: walk.directories, problem: null };
}

/** Returns the folders at the start of a pattern that are no patterns themselves, and the rest; without a wildcard, there is no rest. */
function splitPattern(pattern: string): { readonly base: string; readonly glob: string } {
  const wildcard = pattern.search(/(?<!\\)[*?[{]/);
  if (wildcard === -1) return { base: pattern, glob: '' };
  const start = pattern.lastIndexOf('/', wildcard) + 1;
  return { base: pattern.slice(0, start).replace(/\\(.)/g, '$1'), glob: pattern.slice(start) };
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
  readonly #glob: Glob;
  readonly #budget: WalkBudget;
  readonly #maxDepth: number;
  readonly #includesHidden: boolean;

  constructor(folder: SourceFolder, glob: string, budget: WalkBudget) {
    this.#folder = folder;
    this.#glob = compileGlob(glob, { isPath: true });
    this.#budget = budget;
    this.#maxDepth = glob.includes('**') ? Number.POSITIVE_INFINITY : glob.split('/').length;
    this.#includesHidden = /(?:^|[/{,])\\?\./.test(glob);
  }

  /** `below` is the path from the pattern's base. `above` holds the resolved directories on it, to detect links that lead back. */
  async visit(directory: string, relativeBase: string, ancestors: readonly string[]): Promise<void> {
    this.directories.push(directory);
    if (this.directories.length > maxDirectories) {
      throw new WalkError(`the pattern covers more than ${maxDirectories} directories`, 'use a narrower pattern');
    }
    this.#budget.spend({ directories: 1 });
    const entries = await readDirectory(this.#folder, directory, this.#budget);
    if (entries === null || ancestors.includes(entries.real)) return;
    for (const entry of entries.list) {
      if (entry.name.startsWith('.') && !this.#includesHidden) continue;
      const path = join(directory, entry.name);
      const relative = relativeBase === '' ? entry.name : `${relativeBase}/${entry.name}`;
      const isLookedInto = relative.split('/').length < this.#maxDepth;
      const isLink = entry.isSymbolicLink();
      // Whether a folder or nothing is there outside is not for the author to know.
      if (isLink && isLookedInto && (await this.#folder.resolve(path)).kind === 'outside') throw outsideError(path);
      const isDirectory = isLink ? await isDirectoryAt(this.#folder.locate(path)) : entry.isDirectory();
      if (!isDirectory) {
        if (this.#isMatch(relative)) this.files.push(path);
      } else if (isLookedInto) await this.visit(path, relative, [...ancestors, entries.real]);
    }
  }

  #isMatch(path: string): boolean {
    const { steps } = this.#glob;
    const isMatch = this.#glob.matches(path);
    this.#budget.spend({ steps: this.#glob.steps - steps });
    return isMatch;
  }
}

/** Returns the entries of a directory; `null` if it does not exist or is not a directory. Throws a WalkError if a link leads out of `folder`. */
async function readDirectory(
  folder: SourceFolder,
  directory: string,
  budget: WalkBudget,
): Promise<{ readonly list: readonly Dirent[]; readonly real: string } | null> {
  try {
    const real = await realpath(folder.locate(directory));
    if (folder.contains(real)) return { list: await listEntries(real, budget), real };
  } catch (error) {
    if (error instanceof WalkError) throw error;
    if (isNotFoundError(error)) return null;
    throw new WalkError(`${directory} cannot be listed: ${describeReadError(error)}`);
  }
  throw outsideError(directory);
}

function outsideError(path: string): WalkError {
  const { message, hint } = describeOutside(path);
  return new WalkError(message, hint);
}

/** A directory can have millions of entries, so that they are counted while they are listed. */
async function listEntries(directory: string, budget: WalkBudget): Promise<readonly Dirent[]> {
  const list: Dirent[] = [];
  for await (const entry of await opendir(directory)) {
    budget.spend({ entries: 1 });
    list.push(entry);
  }
  return list;
}

async function isDirectoryAt(path: string): Promise<boolean> {
  return stat(path).then(
    (stats) => stats.isDirectory(),
    () => false,
  );
}
