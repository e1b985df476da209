import type { Change } from '../../../src/model/change.ts';
import type { PublicationKey } from '../../../src/model/publication.ts';
import { keyOf } from '../names.ts';
import type { SimulatedFile } from '../options.ts';
import type { Check, CheckContext, Effect } from './check.ts';

/** A publication leaves the file for this many debounces before it may be taken offline. */
const pruneDebounces = 10;

/** A file is read after at most this many debounces, and some milliseconds for the read. */
const maxDebounces = 5;
const readMs = 100;

interface SavedFile {
  readonly atMs: number;
  readonly prune: boolean;
  readonly states: ReadonlyMap<PublicationKey, 'online' | 'offline'>;
  /** Whether every process has heard of it. */
  isNoticed: boolean;
}

/** Nothing goes offline that no file asked for, and nothing because a file was half saved. */
export class OfflineIsMeantCheck implements Check {
  readonly #context: CheckContext;
  readonly #saved: SavedFile[] = [];

  constructor(context: CheckContext) {
    this.#context = context;
  }

  saved({ prune, publications }: SimulatedFile): void {
    const states = new Map(publications.map(({ api, environment, state }) => [keyOf(api, environment), state]));
    this.#saved.push({ atMs: this.#context.nowMs(), prune, states, isNoticed: true });
  }

  unnoticed(): void {
    const newest = this.#saved.at(-1);
    if (newest) newest.isNoticed = false;
  }

  effected({ key, action, atMs }: Effect, { reason }: Change): void {
    if (action !== 'offline' || this.#isDeclaredOffline(key) || this.#isPruned(key, atMs)) return;
    this.#context.fail(`offline is meant: ${key} was taken offline (${reason}), which no file asks for`);
  }

  #isDeclaredOffline(key: PublicationKey): boolean {
    return this.#saved.some(({ states }) => states.get(key) === 'offline');
  }

  /** Whether a file with `prune` lacks the publication, and all files that were there long enough to be read have for long enough. */
  #isPruned(key: PublicationKey, atMs: number): boolean {
    const { debounceMs } = this.#context.options;
    let absentSinceMs: number | null = null;
    for (const [index, { atMs: savedAtMs, states, prune, isNoticed }] of this.#saved.entries()) {
      const isRead =
        isNoticed && (this.#saved[index + 1]?.atMs ?? Number.POSITIVE_INFINITY) - savedAtMs > maxDebounces * debounceMs + readMs;
      if (!states.has(key)) absentSinceMs ??= savedAtMs;
      else if (isRead) absentSinceMs = null;
      // The file that brings it back may have been saved while the call was under way.
      if (prune && absentSinceMs !== null && atMs - absentSinceMs >= pruneDebounces * debounceMs) return true;
    }
    return false;
  }
}
