import { type Answer, refusal } from './answers.ts';

/** How many calls the front gateway lets through. */
export interface Limit {
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
  readonly limit: Limit;
  /** The times of the last `calls` calls that got through; the oldest stands where the next one goes. */
  readonly #passedAtMs: number[] = [];
  #passed = 0;

  constructor(limit: Limit) {
    this.limit = limit;
  }

  /** Returns the refusal of a call at `atMs`, on any clock that only goes forward, or `null` if the call gets through. */
  refuse(atMs: number): Answer | null {
    const { calls, perMs } = this.limit;
    const slot = this.#passed % calls;
    const waitMs = (this.#passedAtMs[slot] ?? Number.NEGATIVE_INFINITY) + perMs - atMs;
    if (waitMs > 0) return this.#refusal(waitMs);
    this.#passedAtMs[slot] = atMs;
    this.#passed += 1;
    return null;
  }

  /** The message is one that was seen in the wild. */
  #refusal(waitMs: number): Answer {
    const { calls, perMs, retryAfter = false, quiet = false } = this.limit;
    const unit = units.get(perMs);
    const detail = unit ? `,limit:${calls},time:1 ${unit}` : '';
    const errorMsg = quiet ? 'Too many requests' : `The throttling threshold has been reached: policy ip over ratelimit${detail}`;
    const answer = refusal({ status: 429, errorCode: 'APIG.0308', errorMsg });
    return retryAfter ? { ...answer, headers: { 'Retry-After': String(Math.ceil(waitMs / 1_000)) } } : answer;
  }
}
