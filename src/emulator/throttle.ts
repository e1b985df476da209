import { type EmulatedResponse, errorResponse } from './responses.ts';

/** The rate limit of the front gateway. */
export interface ThrottleLimit {
  /** At least 1. */
  readonly calls: number;
  readonly perMs: number;
  /** Whether a 429 has a `Retry-After` header. */
  readonly retryAfter?: boolean;
  /** Whether a 429 does not mention the limit. */
  readonly quiet?: boolean;
}

/** The service's units of windows, longest first. A window that is no whole number of seconds is not mentioned in messages. */
const units = [
  [3_600_000, 'hour'],
  [60_000, 'minute'],
  [1_000, 'second'],
] as const;

/** A limit over every sliding window: at most `calls` calls pass in any `perMs` milliseconds. Rejected calls do not count. */
export class Throttle {
  readonly limit: ThrottleLimit;
  /** A ring of the times of the last `calls` accepted calls. The next call overwrites the oldest. */
  readonly #acceptedAtMs: number[] = [];
  #accepted = 0;

  constructor(limit: ThrottleLimit) {
    this.limit = limit;
  }

  /** Returns the 429 for a call at `atMs`, on any clock that never goes back; `null` if the call passes. */
  check(atMs: number): EmulatedResponse | null {
    const { calls, perMs } = this.limit;
    const slot = this.#accepted % calls;
    const waitMs = (this.#acceptedAtMs[slot] ?? Number.NEGATIVE_INFINITY) + perMs - atMs;
    if (waitMs > 0) return this.#throttledResponse(waitMs);
    this.#acceptedAtMs[slot] = atMs;
    this.#accepted += 1;
    return null;
  }

  /** The message was observed at the service. */
  #throttledResponse(waitMs: number): EmulatedResponse {
    const { calls, perMs, retryAfter = false, quiet = false } = this.limit;
    const [unitMs, unit] = units.find(([ms]) => perMs % ms === 0) ?? [perMs, ''];
    const detail = unit === '' ? '' : `,limit:${calls},time:${perMs / unitMs} ${unit}`;
    const errorMsg = quiet ? 'Too many requests' : `The throttling threshold has been reached: policy ip over ratelimit${detail}`;
    const response = errorResponse({ status: 429, errorCode: 'APIG.0308', errorMsg });
    return retryAfter ? { ...response, headers: { 'Retry-After': String(Math.ceil(waitMs / 1_000)) } } : response;
  }
}
