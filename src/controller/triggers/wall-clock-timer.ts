import type { Clock } from '../../model/clock.ts';

/** The longest single sleep, in milliseconds, so that a change of the wall clock is noticed. */
const maxSleepMs = 60_000;

/** Fires once when the wall clock reaches a time, even if the clock was set meanwhile. */
export class WallClockTimer {
  readonly #clock: Pick<Clock, 'now' | 'sleep'>;
  readonly #onDue: () => void;
  #cancel: AbortController | null = null;

  /** `onDue` is called at most once per `schedule`. */
  constructor(clock: Pick<Clock, 'now' | 'sleep'>, onDue: () => void) {
    this.#clock = clock;
    this.#onDue = onDue;
  }

  /** Schedules the timer for `atMs`, in milliseconds since 1970, and replaces an earlier schedule; `null` cancels it. */
  schedule(atMs: number | null): void {
    this.#cancel?.abort();
    this.#cancel = null;
    if (atMs === null) return;
    this.#cancel = new AbortController();
    void this.#waitUntil(atMs, this.#cancel.signal);
  }

  async #waitUntil(atMs: number, signal: AbortSignal): Promise<void> {
    for (let remainingMs = atMs - this.#clock.now(); remainingMs > 0 && !signal.aborted; remainingMs = atMs - this.#clock.now()) {
      await this.#clock.sleep(Math.min(remainingMs, maxSleepMs), signal);
    }
    if (!signal.aborted) this.#onDue();
  }
}
