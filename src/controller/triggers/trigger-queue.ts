import type { Clock } from '../../model/clock.ts';
import type { TriggerCause } from '../../model/events.ts';

/*
 * The triggers folder notices when a reconciliation is needed other than for a file change or a resync: approvals, requests,
 * timers. A trigger carries no data and never plans or sends anything itself.
 */

/** The longest single sleep, in milliseconds: a timer overflows at 2^31 - 1. */
const maxSleepMs = 60_000;

/** Repeated changes postpone a debounced trigger up to this many times its quiet time after the first of them. */
const maxDebounces = 5;

/** The causes for which the next reconciliation is due, coalesced: one entry a cause, each with the time at which it is due. */
export class TriggerQueue {
  readonly #clock: Pick<Clock, 'monotonicMs' | 'sleep'>;
  readonly #dueAtMs = new Map<TriggerCause, number>();
  readonly #debounced = new Set<TriggerCause>();
  #debouncedSinceMs = 0;
  #debouncedDueAtMs = 0;
  #isWoken = false;
  #wake: (() => void) | null = null;

  constructor(clock: Pick<Clock, 'monotonicMs' | 'sleep'>) {
    this.#clock = clock;
  }

  /** Whether nothing is due now or later. */
  get isEmpty(): boolean {
    return this.#dueAtMs.size === 0 && this.#debounced.size === 0 && !this.#isWoken;
  }

  /** Whether this cause is due now or later. */
  has(cause: TriggerCause): boolean {
    return this.#dueAtMs.has(cause) || this.#debounced.has(cause);
  }

  /** Makes `cause` due after `afterMs` milliseconds at the latest. */
  trigger(cause: TriggerCause, afterMs = 0): void {
    const dueAtMs = this.#clock.monotonicMs() + afterMs;
    this.#dueAtMs.set(cause, Math.min(dueAtMs, this.#dueAtMs.get(cause) ?? Number.POSITIVE_INFINITY));
    this.#wake?.();
  }

  /** Makes `cause` due once no debounced trigger has come for `quietMs`, and after five times that in any case. */
  debounce(cause: TriggerCause, quietMs: number): void {
    const nowMs = this.#clock.monotonicMs();
    if (this.#debounced.size === 0) this.#debouncedSinceMs = nowMs;
    this.#debounced.add(cause);
    this.#debouncedDueAtMs = Math.min(nowMs + quietMs, this.#debouncedSinceMs + maxDebounces * quietMs);
    this.#wake?.();
  }

  /** Ends a wait in `next`, though nothing is due: something has ended that the waiter looks at. */
  wake(): void {
    this.#isWoken = true;
    this.#wake?.();
  }

  /**
   * Resolves to the causes that are due, as soon as one is; to none when woken or when `signal` is aborted; to `resync` at `resyncAtMs` on
   * the monotonic clock.
   */
  async next(resyncAtMs: number, signal: AbortSignal): Promise<ReadonlySet<TriggerCause>> {
    while (!signal.aborted && !this.#isWoken) {
      const nowMs = this.#clock.monotonicMs();
      const due = this.#takeDue(nowMs);
      if (nowMs >= resyncAtMs) due.add('resync');
      if (due.size > 0) return due;
      await this.#sleepUntil(Math.min(resyncAtMs, this.#nextDueAtMs()), signal);
    }
    this.#isWoken = false;
    return this.#takeDue(this.#clock.monotonicMs());
  }

  #nextDueAtMs(): number {
    return Math.min(...this.#dueAtMs.values(), this.#debounced.size > 0 ? this.#debouncedDueAtMs : Number.POSITIVE_INFINITY);
  }

  #takeDue(nowMs: number): Set<TriggerCause> {
    const due = new Set([...this.#dueAtMs].filter(([, dueAtMs]) => dueAtMs <= nowMs).map(([cause]) => cause));
    for (const cause of due) this.#dueAtMs.delete(cause);
    if (nowMs < this.#debouncedDueAtMs) return due;
    for (const cause of this.#debounced) due.add(cause);
    this.#debounced.clear();
    return due;
  }

  async #sleepUntil(atMs: number, signal: AbortSignal): Promise<void> {
    const woken = new AbortController();
    this.#wake = () => woken.abort();
    const sleepMs = Math.min(maxSleepMs, Math.max(0, atMs - this.#clock.monotonicMs()));
    await this.#clock.sleep(Math.ceil(sleepMs), AbortSignal.any([signal, woken.signal]));
    this.#wake = null;
  }
}
