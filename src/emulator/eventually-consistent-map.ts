/** A map that can also be read as of some time ago. It emulates lists that lag behind writes. */
export class EventuallyConsistentMap<Value> {
  readonly #lagMs: number;
  readonly #latest = new Map<string, Value>();
  /** Values per key, oldest first, from the newest value visible to all readers. Empty without a lag. */
  readonly #history = new Map<string, { readonly atMs: number; readonly value: Value }[]>();

  constructor(lagMs: number) {
    this.#lagMs = lagMs;
  }

  /** Writes a value at `atMs`, on any clock that never goes back. */
  set(key: string, value: Value, atMs: number): void {
    this.#latest.set(key, value);
    if (this.#lagMs <= 0) return;
    const history = [...(this.#history.get(key) ?? []), { atMs, value }];
    const visible = history.findLastIndex((entry) => entry.atMs <= atMs - this.#lagMs);
    this.#history.set(key, history.slice(Math.max(visible, 0)));
  }

  /** Returns the latest value. */
  get(key: string): Value | undefined {
    return this.#latest.get(key);
  }

  /** Returns the value visible at `atMs`: the newest one that is at least as old as the lag. */
  getLagged(key: string, atMs: number): Value | undefined {
    if (this.#lagMs <= 0) return this.#latest.get(key);
    return this.#history.get(key)?.findLast((entry) => entry.atMs <= atMs - this.#lagMs)?.value;
  }

  /** Removes a key with its history. */
  delete(key: string): void {
    this.#latest.delete(key);
    this.#history.delete(key);
  }

  /** Returns the latest value of each key. */
  values(): IterableIterator<Value> {
    return this.#latest.values();
  }
}
