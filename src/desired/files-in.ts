import { readdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { EdictError } from '../core/errors.ts';

/**
 * Returns the files that `paths` name, each once: a folder stands for the YAML files right in it, in the order of their names. A path at
 * which there is nothing yet is a file. Throws an EdictError `FILE_ABSENT` for a folder without one.
 */
export function filesIn(paths: readonly string[]): readonly string[] {
  const files = paths.flatMap((path) => (isFolder(path) ? yamlFilesIn(path) : [path]));
  return [...new Map(files.map((file) => [resolve(file), file])).values()];
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

function yamlFilesIn(folder: string): string[] {
  const names = readdirSync(folder).filter((name) => /^[^.].*\.ya?ml$/.test(name) && !isFolder(join(folder, name)));
  if (names.length === 0) {
    throw new EdictError('FILE_ABSENT', `there is no YAML file in the folder ${folder}`, {
      hint: 'name files, or a folder with edict files right in it',
    });
  }
  return names.sort().map((name) => join(folder, name));
}
