import type { Clock } from '../core/ports.ts';
import type { UnresolvedAttempt } from '../core/publication.ts';

/**
 * How long attempts without a known outcome have been over. What an earlier process left is as old as the machine's clock
 * says when it is first seen; from then on a clock counts that does not jump.
 */
export class Doubts {
  readonly #lagMs: number;
  readonly #clock: Pick<Clock, 'now' | 'monotonic'>;
  readonly #sinceMs = new Map<number, number>();

  /** @param lagMs how long a change may take to show at the gateway */
  constructor(lagMs: number, clock: Pick<Clock, 'now' | 'monotonic'>) {
    this.#lagMs = lagMs;
    this.#clock = clock;
  }

  /** Returns how many milliseconds must still pass before the attempt's absence at the gateway means that it did not happen. */
  waitMs({ attemptId, overAtMs }: Pick<UnresolvedAttempt, 'attemptId' | 'overAtMs'>): number {
    const nowMs = this.#clock.monotonic();
    let sinceMs = this.#sinceMs.get(attemptId);
    if (sinceMs === undefined) {
      const ageMs = overAtMs === null ? 0 : this.#clock.now() - overAtMs;
      sinceMs = nowMs - Math.max(0, Math.min(ageMs, this.#lagMs));
      this.#sinceMs.set(attemptId, sinceMs);
    }
    return Math.max(0, sinceMs + this.#lagMs - nowMs);
  }

  /** Forgets an attempt whose outcome is known. */
  settle(attemptId: number): void {
    this.#sinceMs.delete(attemptId);
  }
}
