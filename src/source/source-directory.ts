import type { Dirent } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setImmediate } from 'node:timers/promises';
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
  const files: string[] = [];
  for (const entry of await readEntries(folder)) {
    if (!/^[^.].*\.ya?ml$/.test(entry.name)) continue;
    const file = join(folder, entry.name);
    if (entry.isSymbolicLink() ? !(await isDirectory(file)) : !entry.isDirectory()) files.push(file);
  }
  if (files.length > 0) return files.sort();
  throw new EdictError('FILE_NOT_FOUND', `the folder ${folder} contains no YAML file`, {
    hint: 'pass files, or a folder that contains edict files directly',
  });
}

async function readEntries(folder: string): Promise<readonly Dirent[]> {
  try {
    return await readdir(folder, { withFileTypes: true });
  } catch (cause) {
    throw new EdictError('FILE_NOT_FOUND', `the folder ${folder} cannot be read: ${errorMessage(cause)}`, { cause });
  }
}

/** How often the list of files is read, in milliseconds. */
const pollIntervalMs = 5000;

/** Maximum number of files that one daemon follows: each has a lease, a queue and timers of its own, and half a megabyte. */
export const maxFollowedFiles = 1000;

/** How many files are opened or closed at a time: a removed one waits for its calls. */
const concurrentUpdates = 8;

/** The files that are followed, and how many are not because there are too many. */
export interface FollowedFiles {
  readonly files: readonly string[];
  readonly skippedCount: number;
}

/** Returns the first files, as many as may be followed. */
export function limitFiles(files: readonly string[]): FollowedFiles {
  return { files: files.slice(0, maxFollowedFiles), skippedCount: Math.max(0, files.length - maxFollowedFiles) };
}

export interface WatchFilesDeps {
  /** Resolves to the current files. An EdictError means that they cannot be listed now, which changes nothing. */
  readonly list: () => Promise<readonly string[]>;
  readonly clock: Pick<Clock, 'sleep'>;
  readonly signal: AbortSignal;
  /** Opens a file. One that it rejects with an EdictError is tried again with the next list. */
  readonly onAdded: (file: string) => Promise<void>;
  /** Called for an added file that cannot be opened, but not again for its later tries. */
  readonly onFailed: (file: string, error: EdictError) => void;
  /** Called for a file that was missing twice in a row: an editor or a checkout may replace it in between. */
  readonly onRemoved: (file: string) => Promise<void>;
  /** Called when more files than before are not followed because there are too many. Those that are followed stay, whatever comes. */
  readonly onSkipped: (skippedCount: number) => void;
}

/**
 * Reports files that are added to or removed from `first`, until `signal` is aborted. Other work of the process goes on between two files, however
 * many there are. Rejects with any other error of `onAdded` and `onRemoved`.
 */
export async function watchSourceFiles(
  first: FollowedFiles,
  { list, clock, signal, onAdded, onFailed, onRemoved, onSkipped }: WatchFilesDeps,
): Promise<void> {
  const known = new Set(first.files);
  let { skippedCount } = first;
  let missing: ReadonlySet<string> = new Set();
  let failed = new Set<string>();
  for (;;) {
    await clock.sleep(pollIntervalMs, signal);
    if (signal.aborted) return;
    const current = await tryList(list);
    if (signal.aborted) return;
    if (current === null) continue;
    const unknown = [...current.difference(known)];
    const added = unknown.slice(0, maxFollowedFiles - known.size);
    const skippedNow = unknown.length - added.length;
    if (skippedNow > skippedCount) onSkipped(skippedNow);
    skippedCount = skippedNow;
    await forEach(added, signal, async (file) => {
      try {
        await onAdded(file);
        known.add(file);
        failed.delete(file);
      } catch (error) {
        if (!(error instanceof EdictError)) throw error;
        if (!failed.has(file)) onFailed(file, error);
        failed.add(file);
      }
    });
    failed = failed.intersection(current);
    const missingNow = known.difference(current);
    await forEach([...missingNow.intersection(missing)], signal, async (file) => {
      known.delete(file);
      await onRemoved(file);
    });
    missing = missingNow.intersection(known);
  }
}

/** Updates some files at a time, and starts no more once `signal` is aborted. */
async function forEach(files: readonly string[], signal: AbortSignal, update: (file: string) => Promise<void>): Promise<void> {
  const rest = files.values();
  const updateRest = async (): Promise<void> => {
    for (const file of rest) {
      if (signal.aborted) return;
      await update(file);
      await setImmediate();
    }
  };
  await Promise.all(Array.from({ length: Math.min(concurrentUpdates, files.length) }, updateRest));
}

async function tryList(list: WatchFilesDeps['list']): Promise<Set<string> | null> {
  try {
    return new Set(await list());
  } catch (error) {
    if (error instanceof EdictError) return null;
    throw error;
  }
}
