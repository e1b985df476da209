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
  #watches: readonly Disposable[] = [];
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
    });
    this.#closeWatches();
  }

  #closeWatches(): void {
    for (const opened of this.#watches) opened[Symbol.dispose]();
    this.#watches = [];
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
      if (this.#isClosed || this.#lastSnapshot.fingerprint === fingerprint) return;
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
      const entriesOf = Map.groupBy(entries, (entry) => dirname(entry));
      const openDirectories = new Set(open);
      const directories = [...new Set([...entriesOf.keys(), ...openDirectories])];
      const identities = await Promise.all(directories.map(readDirectoryIdentity));
      const watchKey = JSON.stringify([[...entries], identities]);
      if (watchKey === this.#watchKey || this.#isClosed) return;
      this.#watchKey = watchKey;
      const before = this.#watches;
      this.#watches = await Promise.all(
        directories.map((directory, index) => {
          // The name of the directory itself stands for its removal.
          const names = new Set([directory, ...(entriesOf.get(directory) ?? [])].map((path) => basename(path)));
          const follower = { names: openDirectories.has(directory) ? null : names, onChange: () => this.#check() };
          return watchDirectory(directory, identities[index] ?? '', follower);
        }),
      );
      for (const opened of before) opened[Symbol.dispose]();
      // `close` does not wait for a file system that hangs.
      if (this.#isClosed) this.#closeWatches();
    }
  }
}

/** Calls `onChange` for each change of an entry of these names. */
interface Follower {
  /** `null`: any entry. */
  readonly names: ReadonlySet<string> | null;
  readonly onChange: () => void;
}

/**
 * The watched directories by path, each watched once for all who follow something in it: otherwise each file that is added to a folder of 1,000 files
 * would wake up 1,000 watchers, which would delay everything else for seconds.
 */
const watchedDirectories = new Map<string, WatchedDirectory>();

/**
 * Follows entries of a directory until disposed. Resolves when it is watched. One that cannot be watched is not followed: polling finds its
 * changes. `identity`: of the directory that is at the path now.
 */
async function watchDirectory(directory: string, identity: string, follower: Follower): Promise<Disposable> {
  const watched = watchedDirectories.get(directory) ?? new WatchedDirectory(directory);
  watchedDirectories.set(directory, watched);
  watched.add(follower);
  await watched.open(identity);
  return {
    [Symbol.dispose]: () => {
      watched.remove(follower);
      if (!watched.isUnused || watchedDirectories.get(directory) !== watched) return;
      watchedDirectories.delete(directory);
      watched.close();
    },
  };
}

class WatchedDirectory {
  readonly #directory: string;
  readonly #followersOf = new Map<string, Set<Follower>>();
  readonly #followers = new Set<Follower>();
  readonly #followersOfAny = new Set<Follower>();
  #identity = '';
  #watcher: FSWatcher | null = null;
  #opened: Promise<void> = Promise.resolve();

  constructor(directory: string) {
    this.#directory = directory;
  }

  get isUnused(): boolean {
    return this.#followers.size === 0;
  }

  add(follower: Follower): void {
    this.#followers.add(follower);
    if (follower.names === null) this.#followersOfAny.add(follower);
    for (const name of follower.names ?? []) this.#followersOf.set(name, (this.#followersOf.get(name) ?? new Set()).add(follower));
  }

  remove(follower: Follower): void {
    this.#followers.delete(follower);
    this.#followersOfAny.delete(follower);
    for (const name of follower.names ?? []) {
      const ofName = this.#followersOf.get(name);
      ofName?.delete(follower);
      if (ofName?.size === 0) this.#followersOf.delete(name);
    }
  }

  /** Resolves when the directory of this identity is watched. */
  open(identity: string): Promise<void> {
    if (identity !== this.#identity) {
      this.#identity = identity;
      // A directory that cannot be watched, for example because a variable configures chokidar wrongly, is polled.
      this.#opened = this.#opened.then(() => this.#restart()).catch(() => {});
    }
    return this.#opened;
  }

  close(): void {
    this.#opened = this.#opened.then(() => this.#watcher?.close());
  }

  async #restart(): Promise<void> {
    // Close first: chokidar shares the watch of a path among its watchers, and the shared one would stay on a directory that was replaced.
    await this.#watcher?.close();
    // What is in the directory is ignored, since chokidar would look at all of it at each change; the raw events have the names.
    const ignored = (path: string): boolean => path !== this.#directory;
    const watcher = watch(this.#directory, { depth: 0, followSymlinks: false, ignoreInitial: true, ignored });
    watcher.on('all', () => this.#publish(null));
    watcher.on('raw', (_event, name) => this.#publish(name));
    watcher.on('error', () => this.#publish(null));
    this.#watcher = watcher;
    await new Promise<void>((ready) => watcher.once('ready', () => ready()));
  }

  /** `name` is `null` if the system does not say what has changed. */
  #publish(name: string | null): void {
    const followers = name === null ? this.#followers : [...(this.#followersOf.get(name) ?? []), ...this.#followersOfAny];
    for (const { onChange } of followers) onChange();
  }
}

/** Returns a text that identifies the directory at a path. Inode numbers are reused, so it includes the creation time. */
async function readDirectoryIdentity(directory: string): Promise<string> {
  const stats = await stat(directory, { bigint: true }).catch(() => null);
  return stats === null ? 'absent' : `${stats.dev} ${stats.ino} ${stats.birthtimeNs}`;
}
