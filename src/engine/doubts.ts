/**
 * How long an attempt without a known outcome has been over, on a clock that does not jump. What an earlier process left
 * counts from the moment at which this one first saw it: it was over by then.
 */
export class Doubts {
  readonly #lagMs: number;
  readonly #monotonic: () => number;
  readonly #sinceMs = new Map<number, number>();

  /** @param lagMs how long a change may take to show at the gateway */
  constructor(lagMs: number, monotonic: () => number) {
    this.#lagMs = lagMs;
    this.#monotonic = monotonic;
  }

  /** Returns how many milliseconds must still pass before the attempt's absence at the gateway means that it did not happen. */
  waitMs(attemptId: number): number {
    const now = this.#monotonic();
    const sinceMs = this.#sinceMs.get(attemptId) ?? now;
    this.#sinceMs.set(attemptId, sinceMs);
    return Math.max(0, sinceMs + this.#lagMs - now);
  }

  /** Forgets an attempt whose outcome is known. */
  settle(attemptId: number): void {
    this.#sinceMs.delete(attemptId);
  }
}
