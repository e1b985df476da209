import type { Clock } from '../../model/ports.ts';

/** No timer of this machine is set for longer, in milliseconds, so that a clock that is set is noticed. */
const maxSleepMs = 60_000;

/** Rings once when the wall clock has reached a moment, also where that clock was set meanwhile. */
export class WallClockTimer {
  readonly #clock: Pick<Clock, 'now' | 'sleep'>;
  readonly #onDue: () => void;
  #cancel: AbortController | null = null;

  /** `ring` is called once per `set` at most. */
  constructor(clock: Pick<Clock, 'now' | 'sleep'>, ring: () => void) {
    this.#clock = clock;
    this.#onDue = ring;
  }

  /** Lets it ring at `atMs`, in milliseconds since 1970, instead of when it was set for before; `null`: not at all. */
  schedule(atMs: number | null): void {
    this.#cancel?.abort();
    this.#cancel = null;
    if (atMs === null) return;
    this.#cancel = new AbortController();
    void this.#waitUntil(atMs, this.#cancel.signal);
  }

  async #waitUntil(atMs: number, signal: AbortSignal): Promise<void> {
    for (let leftMs = atMs - this.#clock.now(); leftMs > 0 && !signal.aborted; leftMs = atMs - this.#clock.now()) {
      await this.#clock.sleep(Math.min(leftMs, maxSleepMs), signal);
    }
    if (!signal.aborted) this.#onDue();
  }
}
