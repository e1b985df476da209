import type { PublicationKey } from '../model/publication.ts';
import type { RecordedPublication, RecordedState } from '../model/recorded-state.ts';

/** How a `RecordCache` reads the store. */
export interface RecordRows {
  readAll(): Promise<readonly RecordedPublication[]>;
  /** Reads the rows of these publications. A publication without a row is left out. */
  readSome(keys: readonly PublicationKey[]): Promise<readonly RecordedPublication[]>;
}

/** Up to this share of the rows is read one by one; for more, reading all of them is faster. */
const maxRereadShare = 1 / 8;

/**
 * The recorded state of one gateway in the memory of the process that holds its lease, which alone writes these rows. Rows that were written
 * are read again with the next read, so that no rule of a query is repeated here, and reading costs as much as was written since.
 */
export class RecordCache {
  readonly #rows: RecordRows;
  #recorded = new Map<PublicationKey, RecordedPublication>();
  /** Whether a reader has `#recorded`, so that it is copied before it changes. */
  #isShared = false;
  /** Whether `#recorded` has all rows but those written since. */
  #isComplete = false;
  #written = new Set<PublicationKey>();
  #isReading = false;
  #lastRead: Promise<unknown> = Promise.resolve();

  constructor(rows: RecordRows) {
    this.#rows = rows;
  }

  /** Returns the recorded state, which no later write changes. Rejects as the store does. */
  read(): Promise<RecordedState> {
    // One at a time: an older result must not replace a newer one.
    const read = this.#lastRead.then(() => this.#refresh());
    this.#lastRead = read.catch(() => undefined);
    return read;
  }

  /** Returns the recorded state of one publication; `null` if the store has to be read for it. */
  find(key: PublicationKey): { readonly recorded: RecordedPublication | undefined } | null {
    return this.#isComplete && !this.#isReading && !this.#written.has(key) ? { recorded: this.#recorded.get(key) } : null;
  }

  /** Notes that the rows of these publications were written, or may have been. */
  noteWritten(keys: Iterable<PublicationKey>): void {
    for (const key of keys) this.#written.add(key);
  }

  /** Notes that any row may have been written. */
  clear(): void {
    this.#isComplete = false;
  }

  async #refresh(): Promise<RecordedState> {
    // A row that is written while this reads is read again the next time.
    const keys = [...this.#written];
    const readsAll = !this.#isComplete || keys.length > this.#recorded.size * maxRereadShare;
    this.#written.clear();
    this.#isComplete = true;
    this.#isReading = true;
    try {
      if (readsAll) this.#replace(new Map((await this.#rows.readAll()).map((row) => [row.key, row])));
      else if (keys.length > 0) this.#update(keys, await this.#rows.readSome(keys));
    } catch (error) {
      this.#isComplete = false;
      throw error;
    } finally {
      this.#isReading = false;
    }
    this.#isShared = true;
    return this.#recorded;
  }

  #update(keys: readonly PublicationKey[], rows: readonly RecordedPublication[]): void {
    if (this.#isShared) this.#replace(new Map(this.#recorded));
    for (const key of keys) this.#recorded.delete(key);
    for (const row of rows) this.#recorded.set(row.key, row);
  }

  #replace(recorded: Map<PublicationKey, RecordedPublication>): void {
    this.#recorded = recorded;
    this.#isShared = false;
  }
}
