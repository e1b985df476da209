import type { Clock } from '../model/ports.ts';
import type { UnknownAttempt } from '../model/publication.ts';

/**
 * How long attempts without a known outcome have been over. What an earlier process left is as old as the machine's clock
 * says when it is first seen; from then on a clock counts that does not jump.
 */
export class UnknownOutcomes {
  readonly #propagationDelayMs: number;
  readonly #clock: Pick<Clock, 'now' | 'monotonicMs'>;
  readonly #sinceMs = new Map<number, number>();

  /** @param lagMs how long a change may take to show at the gateway */
  constructor(lagMs: number, clock: Pick<Clock, 'now' | 'monotonicMs'>) {
    this.#propagationDelayMs = lagMs;
    this.#clock = clock;
  }

  /** Returns how many milliseconds must still pass before the attempt's absence at the gateway means that it did not happen. */
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
