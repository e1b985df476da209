import type { RequestResult } from '../../gateway/interface.ts';
import type { Clock } from '../../model/clock.ts';
import type { RateLimit, RequestLimits } from '../../model/gateway.ts';

/** A share of throttled answers up to this does not lower the rate: it is the cost of probing for the gateway's limit. */
const toleratedThrottleShare = 0.1;
/** Consecutive throttled answers after which all requests are paused. */
const throttlesBeforePause = 3;
const initialPauseMs = 1000;
const maxPauseMs = 60_000;
/** The share of the file's limit by which the rate recovers per second. */
const recoveryPerSecond = 0.02;
/** The fewest answers after which the share of throttled ones is evaluated. */
const minSampleSize = 50;
const maxSampleSize = 1000;
/** How long a limit announced by the gateway is applied, in windows of that limit. */
const announcedLimitWindows = 10;
/** The longest time for which a pause or limit named by the gateway is applied, in milliseconds: it may be wrong. */
const maxBelievedMs = 15 * 60_000;
/** The lowest rate that is ever applied, in requests per millisecond. */
const minRatePerMs = 1 / 60_000;

/**
 * The request rate, lowered below the file's limit while the gateway throttles. A pause that an answer names is applied. The
 * rate follows a limit that an answer names; without one it falls by the share of throttled answers and recovers slowly.
 */
export class AdaptiveRate {
  readonly #limit: RequestLimits;
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  /** Requests in a window of the file's limit. */
  #calls: number;
  #recoveringSinceMs = 0;
  #announcedLimit: { readonly calls: number; readonly untilMs: number } | null = null;
  #pausedUntilMs = Number.NEGATIVE_INFINITY;
  #consecutiveThrottles = 0;
  #pauseCount = 0;
  #responses = 0;
  #throttled = 0;

  constructor(limit: RequestLimits, clock: Pick<Clock, 'monotonicMs'>) {
    this.#limit = limit;
    this.#clock = clock;
    this.#calls = limit.calls;
  }

  /** Requests currently allowed in a window of the file's `per`; a fraction if less than one a window. */
  get calls(): number {
    const nowMs = this.#clock.monotonicMs();
    const recovered = this.#calls + (recoveryPerSecond * this.#limit.calls * Math.max(0, nowMs - this.#recoveringSinceMs)) / 1000;
    const ceiling = this.#announcedLimit !== null && nowMs < this.#announcedLimit.untilMs ? this.#announcedLimit.calls : this.#limit.calls;
    return Math.min(recovered, ceiling);
  }

  /** The remaining pause in milliseconds; 0 if requests are not paused. */
  get remainingPauseMs(): number {
    return Math.max(0, this.#pausedUntilMs - this.#clock.monotonicMs());
  }

  /** The shortest time between two requests, in milliseconds; 0 at the full rate, where only the file's limit applies. */
  get minIntervalMs(): number {
    const calls = this.calls;
    return calls >= this.#limit.calls ? 0 : this.#limit.perMs / calls;
  }

  /** Forgets the pause and the limit that the gateway has named. */
  forgetAnnounced(): void {
    this.#announcedLimit = null;
    this.#pausedUntilMs = Number.NEGATIVE_INFINITY;
  }

  /** Adjusts the rate to the result of a request. */
  report({ kind, retryAfterMs, rateLimit }: RequestResult): void {
    if (retryAfterMs !== null) this.#pause(retryAfterMs);
    if (kind === 'lost') return;
    this.#responses += 1;
    if (kind === 'answered') this.#consecutiveThrottles = 0;
    else this.#onThrottled(retryAfterMs, rateLimit);
    if (this.#responses >= this.#sampleSize) this.#evaluate();
  }

  get #minCalls(): number {
    return Math.min(this.#limit.calls, this.#limit.perMs * minRatePerMs);
  }

  get #sampleSize(): number {
    return Math.min(maxSampleSize, Math.max(minSampleSize, (this.#limit.calls / this.#limit.perMs) * 1000));
  }

  #onThrottled(requestedPauseMs: number | null, announced: RateLimit | null): void {
    this.#throttled += 1;
    this.#consecutiveThrottles += 1;
    if (announced !== null) {
      const calls = Math.max(this.#minCalls, (announced.calls / announced.perMs) * this.#limit.perMs);
      const believedMs = Math.min(maxBelievedMs, announcedLimitWindows * announced.perMs);
      this.#announcedLimit = { calls, untilMs: this.#clock.monotonicMs() + believedMs };
      if (calls < this.calls) this.#setRate(calls);
    }
    const mustPause = this.#consecutiveThrottles >= throttlesBeforePause && this.remainingPauseMs === 0;
    if (!mustPause) return;
    this.#consecutiveThrottles = 0;
    if (announced === null) this.#setRate(this.calls / 2);
    if (requestedPauseMs === null) this.#pause(Math.min(maxPauseMs, initialPauseMs * 2 ** this.#pauseCount));
    this.#pauseCount += 1;
  }

  /** Evaluates the answers since the last evaluation and lowers the rate by the share that was throttled. */
  #evaluate(): void {
    const share = this.#throttled / this.#responses;
    this.#responses = 0;
    this.#throttled = 0;
    if (share === 0) this.#pauseCount = 0;
    if (share > toleratedThrottleShare) this.#setRate(this.calls * (1 - share + toleratedThrottleShare));
  }

  #setRate(calls: number): void {
    this.#calls = Math.max(this.#minCalls, calls);
    this.#recoveringSinceMs = this.#clock.monotonicMs();
  }

  #pause(ms: number): void {
    this.#pausedUntilMs = Math.max(this.#pausedUntilMs, this.#clock.monotonicMs() + Math.min(maxBelievedMs, ms));
  }
}
