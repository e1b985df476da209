import type { Clock } from '../model/clock.ts';
import type { GatewaySettings } from '../model/gateway.ts';
import type { UnknownAttempt } from '../model/recorded-state.ts';

/**
 * Tracks for how long the absence of an attempt's effect proves nothing: its request may still be sent until `sendByMs` or until the
 * attempt has ended, whichever is later; it may be on its way for the time limit of a request, and its effect may not be listed for the
 * propagation delay. The age of an attempt is taken once from the wall clock; from then on the monotonic clock counts, because the wall clock can jump.
 */
export class UnknownOutcomes {
  readonly #settlingMs: number;
  readonly #clock: Pick<Clock, 'now' | 'monotonicMs'>;
  readonly #provenAtMs = new Map<number, number>();

  constructor(
    { timeoutMs, propagationDelayMs }: Pick<GatewaySettings, 'timeoutMs' | 'propagationDelayMs'>,
    clock: Pick<Clock, 'now' | 'monotonicMs'>,
  ) {
    this.#settlingMs = timeoutMs + propagationDelayMs;
    this.#clock = clock;
  }

  /** Returns the milliseconds until the attempt's absence at the gateway proves that it took no effect. */
  remainingMs({
    attemptId,
    startedAtMs,
    sendByMs,
    endedAtMs,
  }: Pick<UnknownAttempt, 'attemptId' | 'startedAtMs' | 'sendByMs' | 'endedAtMs'>): number {
    const nowMs = this.#clock.monotonicMs();
    let provenAtMs = this.#provenAtMs.get(attemptId);
    if (provenAtMs === undefined) {
      const wallClockMs = this.#clock.now();
      const sendableMs = Math.max(sendByMs, endedAtMs ?? wallClockMs) - wallClockMs;
      // The wall clock may have been set back during the attempt or since. So the time in which the request may still be sent is limited to
      // the time that it had when the attempt started, and is never negative.
      const longestMs = Math.max(0, sendByMs - startedAtMs);
      provenAtMs = nowMs + Math.max(0, Math.min(sendableMs, longestMs) + this.#settlingMs);
      this.#provenAtMs.set(attemptId, provenAtMs);
    }
    return Math.max(0, provenAtMs - nowMs);
  }

  /** Forgets an attempt whose outcome is known. */
  forget(attemptId: number): void {
    this.#provenAtMs.delete(attemptId);
  }
}
