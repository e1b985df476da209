/** Time as a dependency, so that tests control it. */
export interface Clock {
  /** Milliseconds since 1970, for display and storage. Jumps when the system clock is set. */
  now(): number;
  /** Milliseconds since an arbitrary instant. Never jumps, so it measures every delay. */
  monotonicMs(): number;
  /** Resolves after `ms` milliseconds, or as soon as `signal` is aborted. Never rejects. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

/** The longest timer of Node.js, in milliseconds: almost 25 days. A longer one would fire at once. */
export const maxTimerMs = 2 ** 31 - 1;

const unitMs = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 } as const;

/** Returns the milliseconds of a duration such as `500ms`, `1s`, `1m` or `1h`; `null` for any other text. */
export function parseDurationMs(text: string): number | null {
  const match = /^(\d{1,9})(ms|s|m|h)$/.exec(text);
  return match && Number(match[1]) * unitMs[match[2] as keyof typeof unitMs];
}

/** Resolves when `promise` has settled, or as soon as `signal` is aborted. Never rejects. */
export function settledOrAborted(promise: Promise<unknown>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      signal.removeEventListener('abort', end);
      resolve();
    };
    signal.addEventListener('abort', end);
    if (signal.aborted) end();
    promise.then(end, end);
  });
}
