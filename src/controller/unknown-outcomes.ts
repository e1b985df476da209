import type { Clock } from '../model/clock.ts';
import type { GatewaySettings } from '../model/gateway.ts';
import type { UnknownAttempt } from '../model/recorded-state.ts';

/** An attempt whose outcome is unknown. */
type Attempted = Pick<UnknownAttempt, 'attemptId' | 'startedAtMs' | 'sendByMs' | 'endedAtMs'>;

/**
 * A process that finds an attempt of which nothing was heard for this many times the settling time need not hear from the gateway first.
 * Otherwise one that is started again and again, or runs once in a pipeline, would never find out.
 */
const longestFreezeFactor = 5;

/** When an attempt's absence proves something, on the monotonic clock. */
interface Proof {
  atMs: number;
  /** Whether the gateway has answered since the attempt. */
  isAnswered: boolean;
}

/**
 * Tracks for how long the absence of an attempt's effect proves nothing: its request may still be sent until `sendByMs` or until the
 * attempt has ended, whichever is later; it may be on its way for the time limit of a request, and its effect may not be listed for the
 * propagation delay. A gateway that has stopped answering may process the request when it continues, however long ago that was sent, so the same
 * time also passes after its first answer. The age of an attempt is taken once from the wall clock; from then on the monotonic clock counts,
 * because the wall clock can jump.
 */
export class UnknownOutcomes {
  readonly #settlingMs: number;
  readonly #clock: Pick<Clock, 'now' | 'monotonicMs'>;
  readonly #proofs = new Map<number, Proof>();

  constructor(
    { timeoutMs, propagationDelayMs }: Pick<GatewaySettings, 'timeoutMs' | 'propagationDelayMs'>,
    clock: Pick<Clock, 'now' | 'monotonicMs'>,
  ) {
    this.#settlingMs = timeoutMs + propagationDelayMs;
    this.#clock = clock;
  }

  /** Call it when an attempt ends with an unknown outcome, or is found without one: its age counts from then on. */
  track(attempt: Attempted): void {
    this.#proofOf(attempt);
  }

  /** Returns the milliseconds until the attempt's absence from a list requested then proves that it took no effect. */
  remainingMs(attempt: Attempted): number {
    const { atMs, isAnswered } = this.#proofOf(attempt);
    const remainingMs = Math.max(0, atMs - this.#clock.monotonicMs());
    return isAnswered ? remainingMs : Math.max(remainingMs, this.#settlingMs);
  }

  /** Notes that the gateway has answered a request that was sent after the attempt. */
  answered(attempt: Attempted): void {
    const proof = this.#proofOf(attempt);
    if (!proof.isAnswered) proof.atMs = Math.max(proof.atMs, this.#clock.monotonicMs() + this.#settlingMs);
    proof.isAnswered = true;
  }

  /** Forgets an attempt whose outcome is known. */
  forget(attemptId: number): void {
    this.#proofs.delete(attemptId);
  }

  #proofOf({ attemptId, startedAtMs, sendByMs, endedAtMs }: Attempted): Proof {
    let proof = this.#proofs.get(attemptId);
    if (proof === undefined) {
      const wallClockMs = this.#clock.now();
      const sendableMs = Math.max(sendByMs, endedAtMs ?? wallClockMs) - wallClockMs;
      const isAnswered = -sendableMs >= longestFreezeFactor * this.#settlingMs;
      // The wall clock may have been set back during the attempt or since. So the time in which the request may still be sent is limited to
      // the time that it had when the attempt started, and is never negative.
      const longestMs = Math.max(0, sendByMs - startedAtMs);
      const atMs = this.#clock.monotonicMs() + Math.max(0, Math.min(sendableMs, longestMs) + this.#settlingMs);
      proof = { atMs, isAnswered };
      this.#proofs.set(attemptId, proof);
    }
    return proof;
  }
}
