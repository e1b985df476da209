import type { Clock } from '../model/clock.ts';
import type { UnknownAttempt } from '../model/recorded-state.ts';

/**
 * Tracks how long ago attempts of unknown outcome ended. The age of an earlier process's attempt is taken once from the wall
 * clock; from then on the monotonic clock counts, because the wall clock can jump.
 */
export class UnknownOutcomes {
  readonly #propagationDelayMs: number;
  readonly #clock: Pick<Clock, 'now' | 'monotonicMs'>;
  readonly #sinceMs = new Map<number, number>();

  /** @param propagationDelayMs how long a change may take to appear in the gateway's lists */
  constructor(propagationDelayMs: number, clock: Pick<Clock, 'now' | 'monotonicMs'>) {
    this.#propagationDelayMs = propagationDelayMs;
    this.#clock = clock;
  }

  /** Returns the milliseconds until the attempt's absence at the gateway proves that it took no effect. */
  remainingMs({ attemptId, endedAtMs }: Pick<UnknownAttempt, 'attemptId' | 'endedAtMs'>): number {
    const nowMs = this.#clock.monotonicMs();
    let sinceMs = this.#sinceMs.get(attemptId);
    if (sinceMs === undefined) {
      const ageMs = endedAtMs === null ? 0 : this.#clock.now() - endedAtMs;
      sinceMs = nowMs - Math.max(0, Math.min(ageMs, this.#propagationDelayMs));
      this.#sinceMs.set(attemptId, sinceMs);
    }
    return Math.max(0, sinceMs + this.#propagationDelayMs - nowMs);
  }

  /** Forgets an attempt whose outcome is known. */
  forget(attemptId: number): void {
    this.#sinceMs.delete(attemptId);
  }
}
