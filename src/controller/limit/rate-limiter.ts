/*
 * The limit folder decides when a request to the gateway may leave: rate limit, throttling, outages and rejected credentials.
 * No window may ever hold more requests than the file's limit, across restarts and owners, and every request, reads and logins included, must pass here.
 */
import type { AcquireRequestSlot, RequestResult } from '../../gateway/interface.ts';
import type { Clock } from '../../model/clock.ts';
import type { RequestPause } from '../../model/controller-status.ts';
import type { RequestLimits } from '../../model/gateway.ts';
import { AdaptiveRate } from './adaptive-rate.ts';
import { CallOrder } from './call-order.ts';
import { CircuitBreaker } from './circuit-breaker.ts';
import { SendWindow } from './send-window.ts';

export interface RateLimiterOptions {
  readonly limit: RequestLimits;
  readonly clock: Clock;
  /** Delay before the first request, in milliseconds: another process may just have used up a window. */
  readonly initialDelayMs: number;
}

/** Why requests for changes are paused. */
export type PauseReason = RequestPause['reason'];

/** Receives the pauses of a `RateLimiter`. */
export interface RateLimiterSubscriber {
  /** Requests are paused: no further change may be started. */
  paused(pause: RequestPause): void;
  /** The last pause has ended. */
  resumed(): void;
}

/** Decides when a request to the gateway may leave: the file's limit, the gateway's throttling, an outage, rejected credentials. */
export class RateLimiter {
  readonly #clock: Clock;
  readonly #limit: RequestLimits;
  readonly #window: SendWindow;
  readonly #rate: AdaptiveRate;
  readonly #breaker: CircuitBreaker;
  readonly #pauses = new Map<PauseReason, RequestPause>();
  readonly #subscribers = new Set<RateLimiterSubscriber>();
  readonly #order = new CallOrder();
  /** Ends a sleep whose pause or rate was forgotten. */
  #wake = new AbortController();
  #lastSentAtMs = Number.NEGATIVE_INFINITY;
  #resumeTimer: NodeJS.Timeout | null = null;

  constructor({ limit, clock, initialDelayMs }: RateLimiterOptions) {
    this.#limit = limit;
    this.#clock = clock;
    this.#window = new SendWindow(limit, clock, clock.monotonicMs() + initialDelayMs);
    this.#rate = new AdaptiveRate(limit, clock);
    this.#breaker = new CircuitBreaker({
      onOpen: () => this.pause('outage', 'the gateway does not respond; edict sends an occasional read until it does'),
      onClosed: () => this.resume('outage'),
    });
  }

  /** Calls `subscriber` for each pause and its end until the subscription is disposed of. */
  subscribe(subscriber: RateLimiterSubscriber): Disposable {
    this.#subscribers.add(subscriber);
    return { [Symbol.dispose]: () => void this.#subscribers.delete(subscriber) };
  }

  /** The oldest active pause; `null` if requests may be sent. */
  get paused(): RequestPause | null {
    return this.#pauses.values().next().value ?? null;
  }

  /** Whether requests are paused for this reason, possibly among others. */
  isPausedFor(reason: PauseReason): boolean {
    return this.#pauses.has(reason);
  }

  /** The current rate: the file's limit, or less while the gateway throttles. */
  get currentRate(): { readonly calls: number; readonly perMs: number } {
    return { calls: Math.round(this.#rate.calls * 100) / 100, perMs: this.#limit.perMs };
  }

  /** See `AcquireRequestSlot`. Resolves in call order, or immediately if `signal` is aborted. */
  readonly acquire: AcquireRequestSlot = (signal) => this.#order.run(signal, () => this.#acquire(signal));

  /** Pauses requests until `resume` is called for the same reason. */
  pause(reason: PauseReason, message: string): void {
    if (this.#pauses.has(reason)) return;
    const pause: RequestPause = { reason, message, sinceMs: this.#clock.now() };
    this.#pauses.set(reason, pause);
    for (const subscriber of this.#subscribers) subscriber.paused(pause);
  }

  /** Ends a pause that the gateway asked for, and the rate that it named, because a person or a new file asks to try again. */
  retryNow(): void {
    this.#rate.forgetAnnounced();
    this.#wake.abort();
    this.#wake = new AbortController();
    this.resume('pause');
  }

  /** Ends the pause for this reason. */
  resume(reason: PauseReason): void {
    if (this.#pauses.delete(reason) && this.#pauses.size === 0) for (const subscriber of this.#subscribers) subscriber.resumed();
  }

  /** Clears the timer. */
  close(): void {
    if (this.#resumeTimer) clearTimeout(this.#resumeTimer);
  }

  async #acquire(signal: AbortSignal): Promise<(result: RequestResult) => void> {
    const waitMs = (): number =>
      Math.max(this.#rate.remainingPauseMs, this.#lastSentAtMs + this.#rate.minIntervalMs - this.#clock.monotonicMs());
    while (waitMs() > 0 && !signal.aborted) await this.#clock.sleep(Math.ceil(waitMs()), AbortSignal.any([signal, this.#wake.signal]));
    const release = await this.#window.acquire(signal);
    this.#lastSentAtMs = this.#clock.monotonicMs();
    return (result) => {
      if (result.kind === 'unsent') return release('unsent');
      release();
      this.#report(result);
    };
  }

  #report(result: RequestResult): void {
    this.#breaker.report(result);
    this.#rate.report(result);
    const { remainingPauseMs } = this.#rate;
    if (remainingPauseMs === 0) return;
    this.pause('pause', `the gateway asks for fewer requests; the next one leaves in ${Math.ceil(remainingPauseMs / 1000)} s`);
    if (this.#resumeTimer) clearTimeout(this.#resumeTimer);
    this.#resumeTimer = setTimeout(() => this.resume('pause'), remainingPauseMs);
  }
}
