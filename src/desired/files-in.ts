import { readdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { EdictError, errorMessage } from '../core/errors.ts';

/** The edict files that a command names: a folder stands for the YAML files right in it. */
export class SourceDirectory {
  readonly #paths: readonly string[];
  /** Which paths are folders; one that has gone is no file for that. */
  readonly #directories = new Set<string>();

  constructor(paths: readonly string[]) {
    this.#paths = paths;
  }

  /**
   * Returns the files that there are now, each once, those of a folder in the order of their names. A path at which there has never been a
   * folder is a file, there or not. Throws an EdictError `FILE_ABSENT` for a folder without one, or that has gone.
   */
  list(): readonly string[] {
    for (const path of this.#paths) if (isDirectory(path)) this.#directories.add(path);
    const files = this.#paths.flatMap((path) => (this.#directories.has(path) ? listYamlFiles(path) : [path]));
    return [...new Map(files.map((file) => [resolve(file), file])).values()];
  }
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

function listYamlFiles(folder: string): string[] {
  const names = readEntryNames(folder).filter((name) => /^[^.].*\.ya?ml$/.test(name) && !isDirectory(join(folder, name)));
  if (names.length === 0) {
    throw new EdictError('FILE_ABSENT', `there is no YAML file in the folder ${folder}`, {
      hint: 'name files, or a folder with edict files right in it',
    });
  }
  return names.sort().map((name) => join(folder, name));
}

function readEntryNames(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (cause) {
    throw new EdictError('FILE_ABSENT', `the folder ${folder} cannot be read: ${errorMessage(cause)}`, { cause });
  }
}
