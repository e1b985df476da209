import { readdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { EdictError, errorMessage } from '../model/errors.ts';
import type { Clock } from '../model/ports.ts';

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
   * folder is a file, there or not. Throws an EdictError `FILE_NOT_FOUND` for a folder without one, or that has gone.
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
    throw new EdictError('FILE_NOT_FOUND', `there is no YAML file in the folder ${folder}`, {
      hint: 'name files, or a folder with edict files right in it',
    });
  }
  return names.sort().map((name) => join(folder, name));
}

function readEntryNames(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (cause) {
    throw new EdictError('FILE_NOT_FOUND', `the folder ${folder} cannot be read: ${errorMessage(cause)}`, { cause });
  }
}

/** How often it is looked which files there are, in milliseconds. */
const pollIntervalMs = 5000;

export interface WatchFilesDeps {
  /** Returns the files that there are now. Throws an EdictError while that cannot be told, which changes nothing. */
  readonly list: () => readonly string[];
  readonly clock: Pick<Clock, 'sleep'>;
  readonly signal: AbortSignal;
  readonly onAdded: (file: string) => Promise<void>;
  /** Called for a file that two looks have not found: an editor or a checkout may put another one in its place. */
  readonly onRemoved: (file: string) => Promise<void>;
}

/** Tells which files come and go besides the `first` ones, until `signal` is aborted. Rejects as `added` and `removed` do. */
export async function watchSourceFiles(
  first: readonly string[],
  { list, clock, signal, onAdded, onRemoved }: WatchFilesDeps,
): Promise<void> {
  const known = new Set(first);
  let missing: ReadonlySet<string> = new Set();
  for (;;) {
    await clock.sleep(pollIntervalMs, signal);
    if (signal.aborted) return;
    const there = tryList(list);
    if (there === null) continue;
    for (const file of there.difference(known)) {
      known.add(file);
      await onAdded(file);
    }
    const gone = known.difference(there);
    for (const file of gone.intersection(missing)) {
      known.delete(file);
      await onRemoved(file);
    }
    missing = gone.intersection(known);
  }
}

function tryList(look: WatchFilesDeps['list']): Set<string> | null {
  try {
    return new Set(look());
  } catch (error) {
    if (error instanceof EdictError) return null;
    throw error;
  }
}
