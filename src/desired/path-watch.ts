import { lstat, readlink } from 'node:fs/promises';
import { basename, dirname, join, parse, resolve, sep } from 'node:path';
import { type FSWatcher, watch } from 'chokidar';

export interface PathWatch {
  close(): Promise<void>;
}

/** How often the path is looked at although nothing was heard: some file systems tell nothing. */
const backstopMs = 5000;

/**
 * Calls `hint` when `fingerprint` differs from its last value. It is taken anew when anything moves on the way to `path`:
 * the file itself, or a symbolic link in it or in any directory above it (a ConfigMap's `..data`, git-sync's checkout).
 */
export async function watchPath(path: string, fingerprint: () => Promise<string>, hint: () => void): Promise<PathWatch> {
  const watched = new WatchedPath(path, fingerprint, hint);
  await watched.open();
  return watched;
}

class WatchedPath implements PathWatch {
  readonly #path: string;
  readonly #fingerprint: () => Promise<string>;
  readonly #hint: () => void;
  readonly #backstop: NodeJS.Timeout;
  #watcher: FSWatcher | null = null;
  #entries: ReadonlySet<string> = new Set();
  #last = '';
  #checking: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(path: string, fingerprint: () => Promise<string>, hint: () => void) {
    this.#path = path;
    this.#fingerprint = fingerprint;
    this.#hint = hint;
    this.#backstop = setInterval(() => this.#check(), backstopMs);
  }

  async open(): Promise<void> {
    this.#last = await this.#fingerprint();
    await this.#follow();
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#backstop);
    await this.#checking;
    await this.#watcher?.close();
  }

  /** Checks run one after another: a swap in the middle of one is seen by the next. */
  #check(): void {
    this.#checking = this.#checking.then(async () => {
      if (this.#closed) return;
      await this.#follow();
      const now = await this.#fingerprint();
      if (now === this.#last) return;
      this.#last = now;
      this.#hint();
    });
  }

  /** Watches the directories that decide where the path leads, anew when those have changed. */
  async #follow(): Promise<void> {
    const entries = await entriesOnTheWay(this.#path);
    if (entries.size === this.#entries.size && entries.isSubsetOf(this.#entries)) return;
    this.#entries = entries;
    const before = this.#watcher;
    const directories = new Set([...entries].map((entry) => dirname(entry)));
    const watcher = watch([...directories], {
      depth: 0,
      followSymlinks: false,
      ignoreInitial: true,
      ignored: (candidate) => !entries.has(candidate) && !directories.has(candidate),
    });
    this.#watcher = watcher;
    watcher.on('all', () => this.#check());
    watcher.on('raw', (_event, name) => {
      if (name === null || [...entries].some((entry) => basename(entry) === name)) this.#check();
    });
    watcher.on('error', () => this.#check());
    await new Promise<void>((ready) => watcher.once('ready', () => ready()));
    await before?.close();
  }
}

/** Returns each symbolic link that is passed on the way to `path`, and the file at its end, or the first that is missing. */
async function entriesOnTheWay(path: string): Promise<Set<string>> {
  const entries = new Set<string>();
  let rest = resolve(path).slice(parse(path).root.length).split(sep);
  let at = parse(resolve(path)).root;
  for (let links = 0; rest.length > 0 && links < 64; ) {
    const entry = join(at, rest[0] ?? '');
    const stats = await lstat(entry).catch(() => null);
    if (stats === null) return entries.add(entry);
    rest = rest.slice(1);
    if (stats.isSymbolicLink()) {
      links += 1;
      entries.add(entry);
      const target = resolve(at, await readlink(entry).catch(() => '.'));
      at = parse(target).root;
      rest = [...target.slice(at.length).split(sep).filter(Boolean), ...rest];
    } else at = entry;
  }
  return entries.add(at);
}
