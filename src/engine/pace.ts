import type { Allowance, Clock, RequestEnd } from '../core/ports.ts';
import type { Limit } from '../core/publication.ts';

/** A smaller share of throttled answers is the price of knowing where the gateway's limit lies, and lowers nothing. */
const toleratedShare = 0.1;
/** So many throttled answers in a row are a "no" to everything. */
const refusalsInARow = 3;
const firstPauseMs = 1000;
const longestPauseMs = 60_000;
/** The share of the file's limit that comes back in a second. */
const climbPerSecond = 0.02;
/** The least share of the answers that is judged at a time. */
const fewestAnswers = 50;
const mostAnswers = 1000;
/** How many windows long a limit that the gateway has named is believed. */
const believedWindows = 10;

/**
 * How fast edict goes, below the file's limit, while the gateway asks for less. A pause that an answer names is kept. The
 * rate follows a limit that an answer names; where none is named it falls by the share of answers that asked for less, and
 * climbs back slowly.
 */
export class Pace {
  readonly #limit: Limit;
  readonly #clock: Pick<Clock, 'monotonic'>;
  /** Requests a window of the file's limit. */
  #calls: number;
  #climbingSinceMs = 0;
  #named: { readonly calls: number; readonly untilMs: number } | null = null;
  #pausedUntilMs = Number.NEGATIVE_INFINITY;
  #inARow = 0;
  #pauses = 0;
  #answers = 0;
  #throttled = 0;

  constructor(limit: Limit, clock: Pick<Clock, 'monotonic'>) {
    this.#limit = limit;
    this.#clock = clock;
    this.#calls = limit.calls;
  }

  /** Requests in a window of the file's `per`, as allowed now; a fraction where less than one a window is. */
  get calls(): number {
    const nowMs = this.#clock.monotonic();
    const climbed = this.#calls + (climbPerSecond * this.#limit.calls * Math.max(0, nowMs - this.#climbingSinceMs)) / 1000;
    const ceiling = this.#named !== null && nowMs < this.#named.untilMs ? this.#named.calls : this.#limit.calls;
    return Math.min(climbed, ceiling);
  }

  /** How long nothing may be sent, in milliseconds from now; 0 if nothing speaks against it. */
  get pauseMs(): number {
    return Math.max(0, this.#pausedUntilMs - this.#clock.monotonic());
  }

  /** The least time between two requests, in milliseconds; 0 at the full rate, where the file's limit alone counts. */
  get gapMs(): number {
    const calls = this.calls;
    return calls >= this.#limit.calls ? 0 : this.#limit.perMs / calls;
  }

  /** Learns from how a request ended. */
  ended({ kind, pauseMs, allowed }: RequestEnd): void {
    if (pauseMs !== null) this.#pause(pauseMs);
    if (kind === 'lost') return;
    this.#answers += 1;
    if (kind === 'answered') this.#inARow = 0;
    else this.#slowDown(pauseMs, allowed);
    if (this.#answers >= this.#judged) this.#judge();
  }

  get #judged(): number {
    return Math.min(mostAnswers, Math.max(fewestAnswers, (this.#limit.calls / this.#limit.perMs) * 1000));
  }

  #slowDown(pauseMs: number | null, allowed: Allowance | null): void {
    this.#throttled += 1;
    this.#inARow += 1;
    if (allowed !== null) {
      const calls = (allowed.calls / allowed.perMs) * this.#limit.perMs;
      this.#named = { calls, untilMs: this.#clock.monotonic() + believedWindows * allowed.perMs };
      if (calls < this.calls) this.#set(calls);
    }
    const isRefused = this.#inARow >= refusalsInARow && this.pauseMs === 0;
    if (!isRefused) return;
    this.#inARow = 0;
    if (allowed === null) this.#set(this.calls / 2);
    if (pauseMs === null) this.#pause(Math.min(longestPauseMs, firstPauseMs * 2 ** this.#pauses));
    this.#pauses += 1;
  }

  /** Looks at the answers since the last time: what was asked for in vain is left out. */
  #judge(): void {
    const share = this.#throttled / this.#answers;
    this.#answers = 0;
    this.#throttled = 0;
    if (share === 0) this.#pauses = 0;
    if (share > toleratedShare) this.#set(this.calls * (1 - share + toleratedShare));
  }

  #set(calls: number): void {
    const least = Math.min(this.#limit.calls, this.#limit.perMs / longestPauseMs);
    this.#calls = Math.max(least, calls);
    this.#climbingSinceMs = this.#clock.monotonic();
  }

  #pause(ms: number): void {
    this.#pausedUntilMs = Math.max(this.#pausedUntilMs, this.#clock.monotonic() + ms);
  }
}
