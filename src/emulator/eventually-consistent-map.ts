/** A map that also answers what it held a while ago: the difference between what was written and what a reader sees. */
export class EventuallyConsistentMap<Value> {
  readonly #lagMs: number;
  readonly #latest = new Map<string, Value>();
  /** What was written under a key, oldest first, from the last value that every reader sees. Empty where there is no lag. */
  readonly #history = new Map<string, { readonly atMs: number; readonly value: Value }[]>();

  constructor(lagMs: number) {
    this.#lagMs = lagMs;
  }

  /** Writes a value at `atMs`, on any clock that does not go back. */
  set(key: string, value: Value, atMs: number): void {
    this.#latest.set(key, value);
    if (this.#lagMs <= 0) return;
    const trail = [...(this.#history.get(key) ?? []), { atMs, value }];
    const seen = trail.findLastIndex((entry) => entry.atMs <= atMs - this.#lagMs);
    this.#history.set(key, trail.slice(Math.max(seen, 0)));
  }

  /** Returns what was written last. */
  get(key: string): Value | undefined {
    return this.#latest.get(key);
  }

  /** Returns what a reader sees at `atMs`: what was written last among what is older than the lag. */
  getLagged(key: string, atMs: number): Value | undefined {
    if (this.#lagMs <= 0) return this.#latest.get(key);
    return this.#history.get(key)?.findLast((entry) => entry.atMs <= atMs - this.#lagMs)?.value;
  }

  /** Forgets what was ever written under a key. */
  delete(key: string): void {
    this.#latest.delete(key);
    this.#history.delete(key);
  }

  /** Returns what was written last under each key. */
  values(): IterableIterator<Value> {
    return this.#latest.values();
  }
}
