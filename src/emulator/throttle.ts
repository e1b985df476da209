import { type EmulatedResponse, errorResponse } from './responses.ts';

/** How many calls the front gateway lets through. */
export interface ThrottleLimit {
  /** At least 1. */
  readonly calls: number;
  readonly perMs: number;
  /** Whether a refusal says when to come again. */
  readonly retryAfter?: boolean;
  /** Whether a refusal keeps the limit to itself. */
  readonly quiet?: boolean;
}

/** The words that the service has for a window; other windows are not spoken of. */
const units = new Map([
  [1_000, 'second'],
  [60_000, 'minute'],
  [3_600_000, 'hour'],
]);

/** A limit that holds over every window: of any `perMs` milliseconds, no more than `calls` calls get through. Refused calls do not count. */
export class Throttle {
  readonly limit: ThrottleLimit;
  /** The times of the last `calls` calls that got through; the oldest stands where the next one goes. */
  readonly #acceptedAtMs: number[] = [];
  #accepted = 0;

  constructor(limit: ThrottleLimit) {
    this.limit = limit;
  }

  /** Returns the refusal of a call at `atMs`, on any clock that only goes forward, or `null` if the call gets through. */
  check(atMs: number): EmulatedResponse | null {
    const { calls, perMs } = this.limit;
    const slot = this.#accepted % calls;
    const waitMs = (this.#acceptedAtMs[slot] ?? Number.NEGATIVE_INFINITY) + perMs - atMs;
    if (waitMs > 0) return this.#throttledResponse(waitMs);
    this.#acceptedAtMs[slot] = atMs;
    this.#accepted += 1;
    return null;
  }

  /** The message is one that was seen in the wild. */
  #throttledResponse(waitMs: number): EmulatedResponse {
    const { calls, perMs, retryAfter = false, quiet = false } = this.limit;
    const unit = units.get(perMs);
    const detail = unit ? `,limit:${calls},time:1 ${unit}` : '';
    const errorMsg = quiet ? 'Too many requests' : `The throttling threshold has been reached: policy ip over ratelimit${detail}`;
    const answer = errorResponse({ status: 429, errorCode: 'APIG.0308', errorMsg });
    return retryAfter ? { ...answer, headers: { 'Retry-After': String(Math.ceil(waitMs / 1_000)) } } : answer;
  }
}
