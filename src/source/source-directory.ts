import { readdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Clock } from '../model/clock.ts';
import { EdictError, errorMessage } from '../model/errors.ts';

/** The edict files given to a command. A folder stands for the YAML files directly in it. */
export class SourceDirectory {
  readonly #paths: readonly string[];
  /** Paths that were folders at some time. A deleted folder does not become a file. */
  readonly #directories = new Set<string>();

  constructor(paths: readonly string[]) {
    this.#paths = paths;
  }

  /**
   * Returns the current files, each once, those of a folder sorted by name. A path that was never a folder counts as a file,
   * whether it exists or not. Throws an EdictError `FILE_NOT_FOUND` for a folder without a YAML file, or a deleted folder.
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
    throw new EdictError('FILE_NOT_FOUND', `the folder ${folder} contains no YAML file`, {
      hint: 'pass files, or a folder that contains edict files directly',
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

/** How often the list of files is read, in milliseconds. */
const pollIntervalMs = 5000;

export interface WatchFilesDeps {
  /** Returns the current files. An EdictError means that they cannot be listed now, which changes nothing. */
  readonly list: () => readonly string[];
  readonly clock: Pick<Clock, 'sleep'>;
  readonly signal: AbortSignal;
  readonly onAdded: (file: string) => Promise<void>;
  /** Called for a file that was missing twice in a row: an editor or a checkout may replace it in between. */
  readonly onRemoved: (file: string) => Promise<void>;
}

/** Reports files that are added to or removed from `first`, until `signal` is aborted. Rejects if `onAdded` or `onRemoved` does. */
export async function watchSourceFiles(
  first: readonly string[],
  { list, clock, signal, onAdded, onRemoved }: WatchFilesDeps,
): Promise<void> {
  const known = new Set(first);
  let missing: ReadonlySet<string> = new Set();
  for (;;) {
    await clock.sleep(pollIntervalMs, signal);
    if (signal.aborted) return;
    const current = tryList(list);
    if (current === null) continue;
    for (const file of current.difference(known)) {
      known.add(file);
      await onAdded(file);
    }
    const missingNow = known.difference(current);
    for (const file of missingNow.intersection(missing)) {
      known.delete(file);
      await onRemoved(file);
    }
    missing = missingNow.intersection(known);
  }
}

function tryList(list: WatchFilesDeps['list']): Set<string> | null {
  try {
    return new Set(list());
  } catch (error) {
    if (error instanceof EdictError) return null;
    throw error;
  }
}
