import type { Clock } from '../../model/ports.ts';
import type { RequestLimits } from '../../model/publication.ts';

type WindowClock = Pick<Clock, 'monotonicMs' | 'sleep'>;

/** A request that is answered later than this counts as having reached the gateway after this time, in milliseconds. */
const maxTransitMs = 250;

/**
 * Applies the limit where requests leave: no window of `perMs` contains more than `calls` requests as the gateway sees them.
 * The work queue alone cannot ensure this: between its slot and the request lie a disk write and perhaps a login or a new
 * connection. A request is only known to arrive before its answer, so it is counted at the time of its answer.
 */
export class SendWindow {
  readonly #clock: WindowClock;
  readonly #blockedUntilMs: number;
  readonly #calls: number;
  readonly #perMs: number;
  /** Ring buffer of the last `calls` requests: the latest time at which each reached the gateway. */
  readonly #arrivalsMs: number[] = [];
  #next = 0;
  #tail: Promise<unknown> = Promise.resolve();

  /** @param blockedUntilMs when the window is free of another process's requests, on the monotonic clock */
  constructor({ calls, perMs }: RequestLimits, clock: WindowClock, blockedUntilMs = Number.NEGATIVE_INFINITY) {
    this.#clock = clock;
    this.#calls = calls;
    this.#perMs = perMs;
    this.#blockedUntilMs = blockedUntilMs;
  }

  /**
   * Resolves when one more request may leave, in call order, or immediately if `signal` is aborted. The caller must call the
   * returned function when that request has been answered or has failed.
   */
  acquire(signal: AbortSignal): Promise<() => void> {
    const acquired = this.#tail.then(() => this.#acquire(signal));
    this.#tail = acquired;
    return acquired;
  }

  async #acquire(signal: AbortSignal): Promise<() => void> {
    const index = this.#next;
    this.#next = (index + 1) % this.#calls;
    const freeAtMs = Math.max((this.#arrivalsMs[index] ?? Number.NEGATIVE_INFINITY) + this.#perMs, this.#blockedUntilMs);
    const waitMs = (): number => freeAtMs - this.#clock.monotonicMs();
    while (waitMs() > 0 && !signal.aborted) await this.#clock.sleep(Math.ceil(waitMs()), signal);
    const assumedMs = this.#clock.monotonicMs() + maxTransitMs;
    this.#arrivalsMs[index] = assumedMs;
    return () => {
      if (this.#arrivalsMs[index] === assumedMs) this.#arrivalsMs[index] = Math.min(assumedMs, this.#clock.monotonicMs());
    };
  }
}
