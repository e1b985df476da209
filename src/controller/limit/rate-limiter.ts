import type { AcquireRequestSlot, Clock, RequestPause, RequestResult } from '../../model/ports.ts';
import type { RequestLimits } from '../../model/publication.ts';
import { AdaptiveRate } from './adaptive-rate.ts';
import { CircuitBreaker } from './circuit-breaker.ts';
import { SendWindow } from './send-window.ts';

export interface RateLimiterOptions {
  readonly limit: RequestLimits;
  readonly clock: Clock;
  /** How long nothing may be sent at the beginning, in milliseconds: another process may just have used up a window. */
  readonly initialDelayMs: number;
}

/** Why no request for a change may leave, and since when. */
export type PauseReason = RequestPause['reason'];

/** What `Traffic` tells the engine. */
export interface RateLimiterListener {
  /** Nothing more may be begun. */
  paused(stopped: RequestPause): void;
  /** Nothing of what `stopped` told stands in the way any more. */
  resumed(): void;
}

/** Everything that decides when a request to the gateway may leave: the file's limit, the gateway's wishes, an outage, refused credentials. */
export class RateLimiter {
  readonly #clock: Clock;
  readonly #limit: RequestLimits;
  readonly #window: SendWindow;
  readonly #rate: AdaptiveRate;
  readonly #breaker: CircuitBreaker;
  readonly #pauses = new Map<PauseReason, RequestPause>();
  #listener: RateLimiterListener = { paused: () => {}, resumed: () => {} };
  #tail: Promise<unknown> = Promise.resolve();
  #lastSentAtMs = Number.NEGATIVE_INFINITY;
  #resumeTimer: NodeJS.Timeout | null = null;

  constructor({ limit, clock, initialDelayMs }: RateLimiterOptions) {
    this.#limit = limit;
    this.#clock = clock;
    this.#window = new SendWindow(limit, clock, clock.monotonicMs() + initialDelayMs);
    this.#rate = new AdaptiveRate(limit, clock);
    this.#breaker = new CircuitBreaker({
      onOpen: () => this.pause('outage', 'the gateway does not answer; it is asked once in a while until it does'),
      onClosed: () => this.resume('outage'),
    });
  }

  /** Says from now on to `listener` when requests must stop and may go on. */
  setListener(listener: RateLimiterListener): void {
    this.#listener = listener;
  }

  /** Why nothing may be begun; `null` if it may. */
  get stopped(): RequestPause | null {
    return this.#pauses.values().next().value ?? null;
  }

  /** Whether nothing may be begun for this reason, among others perhaps. */
  isPausedFor(why: PauseReason): boolean {
    return this.#pauses.has(why);
  }

  /** What is allowed now: the file's limit, or less while the gateway asks for it. */
  get currentRate(): { readonly calls: number; readonly perMs: number } {
    return { calls: Math.round(this.#rate.calls * 100) / 100, perMs: this.#limit.perMs };
  }

  /** See `Admit`. In the order of asking; at once if `signal` is aborted. */
  readonly acquire: AcquireRequestSlot = (signal) => {
    const admitted = this.#tail.then(() => this.#acquire(signal));
    this.#tail = admitted;
    return admitted;
  };

  /** Stops what has not begun, until `go` for the same reason. */
  pause(reason: PauseReason, message: string): void {
    if (this.#pauses.has(reason)) return;
    const stopped: RequestPause = { reason, message, sinceMs: this.#clock.now() };
    this.#pauses.set(reason, stopped);
    this.#listener.paused(stopped);
  }

  /** Ends a stop. */
  resume(why: PauseReason): void {
    if (this.#pauses.delete(why) && this.#pauses.size === 0) this.#listener.resumed();
  }

  /** Gives its timer back. */
  close(): void {
    if (this.#resumeTimer) clearTimeout(this.#resumeTimer);
  }

  async #acquire(signal: AbortSignal): Promise<(end: RequestResult) => void> {
    const waitMs = (): number =>
      Math.max(this.#rate.remainingPauseMs, this.#lastSentAtMs + this.#rate.minIntervalMs - this.#clock.monotonicMs());
    while (waitMs() > 0 && !signal.aborted) await this.#clock.sleep(Math.ceil(waitMs()), signal);
    const arrived = await this.#window.acquire(signal);
    this.#lastSentAtMs = this.#clock.monotonicMs();
    return (end) => {
      arrived();
      if (end.kind !== 'unsent') this.#report(end);
    };
  }

  #report(end: RequestResult): void {
    this.#breaker.report(end);
    this.#rate.report(end);
    const { remainingPauseMs } = this.#rate;
    if (remainingPauseMs === 0) return;
    this.pause('pause', `the gateway asks for fewer requests; the next one leaves in ${Math.ceil(remainingPauseMs / 1000)} s`);
    if (this.#resumeTimer) clearTimeout(this.#resumeTimer);
    this.#resumeTimer = setTimeout(() => this.resume('pause'), remainingPauseMs);
  }
}
