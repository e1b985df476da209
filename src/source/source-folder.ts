import { constants } from 'node:fs';
import { lstat, open, realpath } from 'node:fs/promises';
import { basename, dirname, join, parse, relative, resolve, sep } from 'node:path';
import { resolvePathEntries } from './path-entries.ts';
import { isNotFoundError, type NoPath, type NoText, openedPath, type ReadText, readTextFile, toUnreadable } from './text-file.ts';

/** A path that leads out of the folder. `realPath` is absolute and free of symbolic links. */
interface OutsidePath {
  readonly kind: 'outside';
  readonly realPath: string;
}

/** A path that leads to a file in the folder whose name says that it is no YAML file. */
interface NotYamlPath {
  readonly kind: 'not yaml';
}

/** Where a path leads. */
export type ResolvedPath = { readonly kind: 'inside'; readonly realPath: string } | OutsidePath | NotYamlPath | NoPath;

/** Why a file in a `SourceFolder` was not read; `swapped`: its path led elsewhere before and after. */
export type UnreadSourceFile = NoText | OutsidePath | NotYamlPath | { readonly kind: 'swapped' };

/** The result of reading a file in a `SourceFolder`. */
export type SourceFileResult = (ReadText & { readonly realPath: string }) | UnreadSourceFile;

/**
 * The folder of the main file, in which all files of its author must be, and the folders that the operator allows besides. The author writes
 * paths, patterns and symbolic links, so that every file of a checkout is read through here: only below these folders, wherever links lead;
 * only YAML files, since a job may leave a token in `.git/config` or `.env`; only regular ones, of limited size.
 *
 * The folder is the one that the main file is given in, with the links on the way to it resolved: a ConfigMap and git-sync use links.
 */
export class SourceFolder {
  /** The folder of the main file as given, absolute. */
  readonly directory: string;
  readonly #mainPath: string;
  readonly #given: readonly string[];
  readonly #real: readonly (string | null)[];
  /** The folders in the spelling of the file system, where it ignores case. */
  readonly #opened: readonly (string | null)[];

  private constructor(
    mainPath: string,
    { given, real, opened }: { readonly [K in 'given' | 'real' | 'opened']: readonly (K extends 'given' ? string : string | null)[] },
  ) {
    this.directory = dirname(mainPath);
    this.#mainPath = mainPath;
    this.#given = given;
    this.#real = real;
    this.#opened = opened;
  }

  /** Returns the folder of a main file, and where it is now: a checkout may be swapped later. */
  static async open(mainPath: string, allowedFolders: readonly string[]): Promise<SourceFolder> {
    const main = resolve(mainPath);
    const given = [dirname(main), ...allowedFolders.map((folder) => resolve(folder))];
    const real = await resolveAll(given);
    const opened = await Promise.all(real.map((folder) => (folder === null ? null : openedFolder(folder))));
    return new SourceFolder(main, { given, real, opened });
  }

  /** Returns whether the folders are still the same. */
  async isUnchanged(): Promise<boolean> {
    const real = await resolveAll(this.#given);
    return real.every((folder, index) => folder === this.#real[index]);
  }

  /** Returns whether an absolute path is in one of the folders, as far as its text says. */
  mayContain(path: string): boolean {
    return isInOne(this.#given, path) || this.contains(path);
  }

  /** Returns whether a file or folder without symbolic links is in one of the folders. */
  contains(realPath: string): boolean {
    return isInOne(this.#real, realPath) || isInOne(this.#opened, realPath);
  }

  /** Returns an absolute path by way of where its folder was when it was opened, so that all files are from one checkout. */
  locate(path: string): string {
    for (const [index, given] of this.#given.entries()) {
      const real = this.#real[index];
      if (real && isIn(given, path)) return join(real, relative(given, path));
    }
    return path;
  }

  /** Returns where the path of a file leads. */
  async resolve(path: string): Promise<ResolvedPath> {
    if (!this.mayContain(path) && path !== this.#mainPath) return { kind: 'outside', realPath: path };
    try {
      const realPath = await realpath(this.locate(path));
      if (this.#isMainItself(realPath)) return { kind: 'inside', realPath };
      if (!this.contains(realPath)) return { kind: 'outside', realPath };
      const hasAllowedName = isYamlName(realPath) || (path === this.#mainPath && basename(realPath) === basename(path));
      return hasAllowedName ? { kind: 'inside', realPath } : { kind: 'not yaml' };
    } catch (cause) {
      // Whether something outside exists, or may be read, is not for the author to know.
      const entries = [...(await resolvePathEntries(this.locate(path)))];
      // Links that lead in a circle end in the root folder.
      const outside = entries.find((entry) => entry !== parse(entry).root && !this.contains(entry) && !this.#isMainItself(entry));
      if (this.#real[0] !== null && outside !== undefined) return { kind: 'outside', realPath: outside };
      return isNotFoundError(cause) ? { kind: 'absent', cause } : toUnreadable(cause);
    }
  }

  /** Reads a file of at most `maxBytes`. */
  async read(path: string, maxBytes: number): Promise<SourceFileResult> {
    const resolved = await this.resolve(path);
    if (resolved.kind !== 'inside') return resolved;
    const { realPath } = resolved;
    const read = await readTextFile(realPath, maxBytes);
    // A link may have been put in place between the two.
    const now = await this.resolve(path);
    if (now.kind !== 'inside' || now.realPath !== realPath) return { kind: 'swapped' };
    if (read.kind !== 'read') return read;
    const stats = await lstat(realPath, { bigint: true }).catch(() => null);
    const { identity, path: openedAt } = read.opened;
    const isInside = openedAt === null || this.#isMainItself(openedAt) || this.contains(openedAt);
    return isInside && stats !== null && `${stats.dev}:${stats.ino}` === identity ? { ...read, realPath } : { kind: 'swapped' };
  }

  /** The main file may have any name and be in the root folder, if no link leads to it. */
  #isMainItself(realPath: string): boolean {
    const [real] = this.#real;
    return real !== null && real !== undefined && realPath === join(real, basename(this.#mainPath));
  }
}

function resolveAll(folders: readonly string[]): Promise<(string | null)[]> {
  return Promise.all(folders.map((folder) => realpath(folder).catch(() => null)));
}

async function openedFolder(folder: string): Promise<string | null> {
  try {
    await using handle = await open(folder, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NONBLOCK);
    return await openedPath(handle);
  } catch {
    return null;
  }
}

/**
 * Returns whether a path is in one of the folders. A main file in the root folder would be confined by nothing, so that no other file counts as
 * in its folder.
 */
function isInOne([ofMain = null, ...allowed]: readonly (string | null)[], path: string): boolean {
  const folders = [ofMain !== null && parse(ofMain).root === ofMain ? null : ofMain, ...allowed];
  return folders.some((folder) => folder !== null && isIn(folder, path));
}

function isIn(folder: string, path: string): boolean {
  return path === folder || path.startsWith(folder.endsWith(sep) ? folder : `${folder}${sep}`);
}

function isYamlName(path: string): boolean {
  return /\.ya?ml$/i.test(path);
}
