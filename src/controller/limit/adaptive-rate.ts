import type { Clock, RateLimit, RequestResult } from '../../model/ports.ts';
import type { RequestLimits } from '../../model/publication.ts';

/** A smaller share of throttled answers is the price of knowing where the gateway's limit lies, and lowers nothing. */
const toleratedThrottleShare = 0.1;
/** So many throttled answers in a row are a "no" to everything. */
const throttlesBeforePause = 3;
const initialPauseMs = 1000;
const maxPauseMs = 60_000;
/** The share of the file's limit that comes back in a second. */
const recoveryPerSecond = 0.02;
/** The least share of the answers that is judged at a time. */
const minSampleSize = 50;
const maxSampleSize = 1000;
/** How many windows long a limit that the gateway has named is believed. */
const announcedLimitWindows = 10;

/**
 * How fast edict goes, below the file's limit, while the gateway asks for less. A pause that an answer names is kept. The
 * rate follows a limit that an answer names; where none is named it falls by the share of answers that asked for less, and
 * climbs back slowly.
 */
export class AdaptiveRate {
  readonly #limit: RequestLimits;
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  /** Requests a window of the file's limit. */
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

  /** Requests in a window of the file's `per`, as allowed now; a fraction where less than one a window is. */
  get calls(): number {
    const nowMs = this.#clock.monotonicMs();
    const climbed = this.#calls + (recoveryPerSecond * this.#limit.calls * Math.max(0, nowMs - this.#recoveringSinceMs)) / 1000;
    const ceiling = this.#announcedLimit !== null && nowMs < this.#announcedLimit.untilMs ? this.#announcedLimit.calls : this.#limit.calls;
    return Math.min(climbed, ceiling);
  }

  /** How long nothing may be sent, in milliseconds from now; 0 if nothing speaks against it. */
  get remainingPauseMs(): number {
    return Math.max(0, this.#pausedUntilMs - this.#clock.monotonicMs());
  }

  /** The least time between two requests, in milliseconds; 0 at the full rate, where the file's limit alone counts. */
  get minIntervalMs(): number {
    const calls = this.calls;
    return calls >= this.#limit.calls ? 0 : this.#limit.perMs / calls;
  }

  /** Learns from how a request ended. */
  report({ kind, retryAfterMs, rateLimit }: RequestResult): void {
    if (retryAfterMs !== null) this.#pause(retryAfterMs);
    if (kind === 'lost') return;
    this.#responses += 1;
    if (kind === 'answered') this.#consecutiveThrottles = 0;
    else this.#onThrottled(retryAfterMs, rateLimit);
    if (this.#responses >= this.#sampleSize) this.#evaluate();
  }

  get #sampleSize(): number {
    return Math.min(maxSampleSize, Math.max(minSampleSize, (this.#limit.calls / this.#limit.perMs) * 1000));
  }

  #onThrottled(pauseMs: number | null, allowed: RateLimit | null): void {
    this.#throttled += 1;
    this.#consecutiveThrottles += 1;
    if (allowed !== null) {
      const calls = (allowed.calls / allowed.perMs) * this.#limit.perMs;
      this.#announcedLimit = { calls, untilMs: this.#clock.monotonicMs() + announcedLimitWindows * allowed.perMs };
      if (calls < this.calls) this.#setRate(calls);
    }
    const isRefused = this.#consecutiveThrottles >= throttlesBeforePause && this.remainingPauseMs === 0;
    if (!isRefused) return;
    this.#consecutiveThrottles = 0;
    if (allowed === null) this.#setRate(this.calls / 2);
    if (pauseMs === null) this.#pause(Math.min(maxPauseMs, initialPauseMs * 2 ** this.#pauseCount));
    this.#pauseCount += 1;
  }

  /** Looks at the answers since the last time: what was asked for in vain is left out. */
  #evaluate(): void {
    const share = this.#throttled / this.#responses;
    this.#responses = 0;
    this.#throttled = 0;
    if (share === 0) this.#pauseCount = 0;
    if (share > toleratedThrottleShare) this.#setRate(this.calls * (1 - share + toleratedThrottleShare));
  }

  #setRate(calls: number): void {
    const least = Math.min(this.#limit.calls, this.#limit.perMs / maxPauseMs);
    this.#calls = Math.max(least, calls);
    this.#recoveringSinceMs = this.#clock.monotonicMs();
  }

  #pause(ms: number): void {
    this.#pausedUntilMs = Math.max(this.#pausedUntilMs, this.#clock.monotonicMs() + ms);
  }
}
