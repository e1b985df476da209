/** How long a read of the file system may take, in milliseconds. */
export const readTimeLimitMs = 10_000;

/**
 * Limits how long reads may take: on a hung mount they never end. While an earlier one still hangs, none is started, because each takes one
 * of the few threads of the process for file operations.
 */
export class TimeLimit {
  readonly #limitMs: number;
  readonly #hanging = new Set<Promise<unknown>>();

  constructor(limitMs = readTimeLimitMs) {
    this.#limitMs = limitMs;
  }

  /** Returns what `read` resolves to; `null` if it takes too long or if `signal` is aborted. */
  async run<T>(read: () => Promise<T>, signal?: AbortSignal): Promise<T | null> {
    if (this.#hanging.size > 0 || signal?.aborted) return null;
    const { promise: abandoned, resolve: abandon } = Promise.withResolvers<null>();
    const onAbort = (): void => abandon(null);
    const reading = read();
    const timer = setTimeout(() => {
      this.#hanging.add(reading);
      abandon(null);
    }, this.#limitMs);
    const onEnded = (): void => {
      clearTimeout(timer);
      this.#hanging.delete(reading);
      signal?.removeEventListener('abort', onAbort);
    };
    reading.then(onEnded, onEnded);
    signal?.addEventListener('abort', onAbort);
    return Promise.race([reading, abandoned]);
  }
}
