import { stat } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { type FSWatcher, watch } from 'chokidar';
import { resolvePathEntries } from './path-entries.ts';
import { TimeLimit } from './time-limit.ts';

export interface PathWatch {
  close(): Promise<void>;
}

/** Polling interval, because some file systems send no notifications. */
const pollIntervalMs = 5000;

/** How long closing may wait for a file system that does not answer, in milliseconds. */
const closeTimeLimitMs = 2000;

/** The state of the files at one time. */
export interface Snapshot {
  /** Changes when a path leads elsewhere or to other content. */
  readonly fingerprint: string;
  readonly paths: readonly string[];
  /** Directories in which any new entry may matter. */
  readonly directories: readonly string[];
}

/**
 * Calls `onChange` when the fingerprint changes. It is recomputed when anything changes on the way to one of the paths: the file
 * itself, a symbolic link in it or in any directory above it (a ConfigMap's `..data`, git-sync's checkout), or a directory
 * that holds one of these; and for any change in one of the directories. For directories further up, and for file systems
 * without notifications, it is recomputed every 5 s.
 */
export async function watchPaths(takeSnapshot: () => Promise<Snapshot>, onChange: () => void): Promise<PathWatch> {
  const watched = new PathWatcher(takeSnapshot, onChange);
  await watched.open();
  return watched;
}

class PathWatcher implements PathWatch {
  readonly #takeSnapshot: () => Promise<Snapshot>;
  readonly #onChange: () => void;
  #pollTimer: NodeJS.Timeout | null = null;
  #watcher: FSWatcher | null = null;
  #watchKey = '';
  #lastSnapshot: Snapshot = { fingerprint: '', paths: [], directories: [] };
  #lastCheck: Promise<void> = Promise.resolve();
  #isCheckQueued = false;
  #isClosed = false;
  readonly #timeLimit = new TimeLimit();

  constructor(takeSnapshot: () => Promise<Snapshot>, onChange: () => void) {
    this.#takeSnapshot = takeSnapshot;
    this.#onChange = onChange;
  }

  /** Opens the watcher, or goes on opening it in the background if the file system does not answer in time. */
  async open(): Promise<void> {
    this.#lastCheck = this.#openNow();
    await this.#timeLimit.run(() => this.#lastCheck);
    this.#pollTimer = setInterval(() => this.#check(), pollIntervalMs);
    this.#check();
  }

  async #openNow(): Promise<void> {
    this.#lastSnapshot = await this.#takeSnapshot();
    await this.#updateWatcher(this.#lastSnapshot);
  }

  /** Closes the watcher; does not wait for a check that hangs. */
  async close(): Promise<void> {
    this.#isClosed = true;
    if (this.#pollTimer) clearInterval(this.#pollTimer);
    await new TimeLimit(closeTimeLimitMs).run(async () => {
      await this.#lastCheck;
      await this.#watcher?.close();
    });
  }

  /**
   * Checks run one after another, and a queued check stands for all later triggers: it sees a swap that happens during the
   * running one.
   */
  #check(): void {
    if (this.#isCheckQueued) return;
    this.#isCheckQueued = true;
    this.#lastCheck = this.#lastCheck.then(async () => {
      this.#isCheckQueued = false;
      if (this.#isClosed) return;
      await this.#updateWatcher(this.#lastSnapshot);
      const { fingerprint } = this.#lastSnapshot;
      this.#lastSnapshot = await this.#takeSnapshot();
      if (this.#lastSnapshot.fingerprint === fingerprint) return;
      // The set may contain other files now, which may have changed in the meantime.
      await this.#updateWatcher(this.#lastSnapshot);
      if (this.#lastSnapshot.paths.length > 1) this.#check();
      this.#onChange();
    });
  }

  /** Watches the directories that determine where the paths lead. Repeats until these are the same before and after. */
  async #updateWatcher({ paths, directories: open }: Snapshot): Promise<void> {
    for (;;) {
      const entrySets = await Promise.all([...paths, ...open].map(resolvePathEntries));
      const entries = new Set(entrySets.flatMap((entriesOfOne) => [...entriesOfOne]));
      const directories = new Set([...[...entries].map((entry) => dirname(entry)), ...open]);
      const watchKey = JSON.stringify([[...entries], await Promise.all([...directories].map(readDirectoryIdentity))]);
      if (watchKey === this.#watchKey || this.#isClosed) return;
      this.#watchKey = watchKey;
      // Close first: chokidar shares the watch of a path among its watchers, and the shared one would stay on a directory that was replaced.
      await this.#watcher?.close();
      this.#watcher = await this.#startWatcher(entries, directories, new Set(open));
    }
  }

  async #startWatcher(entries: ReadonlySet<string>, directories: ReadonlySet<string>, open: ReadonlySet<string>): Promise<FSWatcher> {
    const names = new Set([...entries, ...directories].map((path) => basename(path)));
    const watcher = watch([...directories], {
      depth: 0,
      followSymlinks: false,
      ignoreInitial: true,
      ignored: (candidate) => !entries.has(candidate) && !directories.has(candidate) && !open.has(dirname(candidate)),
    });
    watcher.on('all', () => this.#check());
    watcher.on('raw', (_event, name) => {
      if (name === null || open.size > 0 || names.has(name)) this.#check();
    });
    watcher.on('error', () => this.#check());
    await new Promise<void>((ready) => watcher.once('ready', () => ready()));
    return watcher;
  }
}

/** Returns a text that identifies the directory at a path. Inode numbers are reused, so it includes the creation time. */
async function readDirectoryIdentity(directory: string): Promise<string> {
  const stats = await stat(directory, { bigint: true }).catch(() => null);
  return stats === null ? 'absent' : `${stats.dev} ${stats.ino} ${stats.birthtimeNs}`;
}
