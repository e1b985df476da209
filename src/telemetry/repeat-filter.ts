/** How long the same error is not logged again after the first time, in milliseconds; doubled each time up to `maxIntervalMs`. */
const firstIntervalMs = 1000;
const maxIntervalMs = 5 * 60_000;

/** The most different errors that are known at a time; the one that was logged longest ago is forgotten. */
const maxErrors = 100;

interface KnownError {
  readonly intervalMs: number;
  readonly loggedAtMs: number;
  skippedCount: number;
}

/** Lets the same error through once and then with a growing interval, so that one that is retried for hours does not fill the log. */
export class RepeatFilter {
  readonly #monotonicMs: () => number;
  readonly #known = new Map<string, KnownError>();

  constructor(monotonicMs: () => number) {
    this.#monotonicMs = monotonicMs;
  }

  /** Returns how often the error was skipped since it was last let through; `null` if it shall be skipped now. */
  pass(error: string): number | null {
    const nowMs = this.#monotonicMs();
    const known = this.#known.get(error);
    if (known && nowMs < known.loggedAtMs + known.intervalMs) {
      known.skippedCount += 1;
      return null;
    }
    // An error that stayed away for long is a new one.
    const isRepeated = known !== undefined && nowMs < known.loggedAtMs + 2 * known.intervalMs + maxIntervalMs;
    const intervalMs = isRepeated ? Math.min(maxIntervalMs, known.intervalMs * 2) : firstIntervalMs;
    this.#known.delete(error);
    this.#known.set(error, { intervalMs, loggedAtMs: nowMs, skippedCount: 0 });
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= maxErrors) break;
      this.#known.delete(oldest);
    }
    return known?.skippedCount ?? 0;
  }
}
