import { readdir, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Clock } from '../model/clock.ts';
import { EdictError, errorMessage } from '../model/errors.ts';
import { TimeLimit } from './time-limit.ts';

/** The edict files given to a command. A folder stands for the YAML files directly in it. */
export class SourceDirectory {
  readonly #paths: readonly string[];
  readonly #timeLimit: TimeLimit;
  /** The last files of each path that was a folder at some time. A deleted folder does not become a file. */
  readonly #folders = new Map<string, readonly string[]>();

  constructor(paths: readonly string[], timeLimit = new TimeLimit()) {
    this.#paths = paths;
    this.#timeLimit = timeLimit;
  }

  /**
   * Returns the current files, each once, those of a folder sorted by name. A path that was never a folder counts as a file, whether it
   * exists or not. A folder that cannot be read, or contains no YAML file any more, keeps its last files: a checkout or a mount may be
   * replaced. Rejects with an EdictError `FILE_NOT_FOUND` for a folder that never had a YAML file or could not be read yet.
   */
  async list(): Promise<readonly string[]> {
    const files: string[] = [];
    for (const path of this.#paths) files.push(...(await this.#filesOf(path)));
    return [...new Map(files.map((file) => [resolve(file), file])).values()];
  }

  async #filesOf(path: string): Promise<readonly string[]> {
    const last = this.#folders.get(path);
    const isFolder = await this.#timeLimit.run(() => isDirectory(path));
    if (last === undefined && isFolder === false) return [path];
    if (last !== undefined && !isFolder) return last;
    try {
      const files = await this.#timeLimit.run(() => listYamlFiles(path));
      if (files === null) throw new EdictError('FILE_NOT_FOUND', `the folder ${path} cannot be read: its file system does not answer`);
      this.#folders.set(path, files);
      return files;
    } catch (error) {
      if (last === undefined || !(error instanceof EdictError)) throw error;
      return last;
    }
  }
}

async function isDirectory(path: string): Promise<boolean> {
  return stat(path).then(
    (stats) => stats.isDirectory(),
    () => false,
  );
}

async function listYamlFiles(folder: string): Promise<readonly string[]> {
  const candidates = (await readEntryNames(folder)).filter((name) => /^[^.].*\.ya?ml$/.test(name)).map((name) => join(folder, name));
  const files: string[] = [];
  for (const file of candidates) if (!(await isDirectory(file))) files.push(file);
  if (files.length > 0) return files.sort();
  throw new EdictError('FILE_NOT_FOUND', `the folder ${folder} contains no YAML file`, {
    hint: 'pass files, or a folder that contains edict files directly',
  });
}

async function readEntryNames(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (cause) {
    throw new EdictError('FILE_NOT_FOUND', `the folder ${folder} cannot be read: ${errorMessage(cause)}`, { cause });
  }
}

/** How often the list of files is read, in milliseconds. */
const pollIntervalMs = 5000;

export interface WatchFilesDeps {
  /** Resolves to the current files. An EdictError means that they cannot be listed now, which changes nothing. */
  readonly list: () => Promise<readonly string[]>;
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
    const current = await tryList(list);
    if (signal.aborted) return;
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

async function tryList(list: WatchFilesDeps['list']): Promise<Set<string> | null> {
  try {
    return new Set(await list());
  } catch (error) {
    if (error instanceof EdictError) return null;
    throw error;
  }
}
