import type { Clock } from '../../model/clock.ts';
import type { RequestLimits } from '../../model/gateway.ts';
import { CallOrder } from './call-order.ts';

/** The longest single sleep, in milliseconds: a timer overflows at 2^31 - 1. */
const maxSleepMs = 60_000;

type ReleaseSlot = (result?: 'unsent') => void;

type WindowClock = Pick<Clock, 'monotonicMs' | 'sleep'>;

/**
 * Applies the limit where requests leave: no window of `perMs` contains more than `calls` requests as the gateway sees them.
 * The work queue alone cannot ensure this: between its slot and the request lie a disk write and perhaps a login or a new
 * connection. A request is only known to arrive before its answer, so it keeps its slot until then and for a window longer: a gateway
 * that was frozen, or slow to accept connections, may receive all unanswered requests at once.
 */
export class SendWindow {
  readonly #clock: WindowClock;
  readonly #blockedUntilMs: number;
  readonly #calls: number;
  readonly #perMs: number;
  #unanswered = 0;
  /** When the slots of answered requests are free again, in order; at most `calls`. */
  readonly #freeAtMs: number[] = [];
  readonly #order = new CallOrder();
  #wake = new AbortController();

  /** @param blockedUntilMs when the window is free of another process's requests, on the monotonic clock */
  constructor({ calls, perMs }: RequestLimits, clock: WindowClock, blockedUntilMs = Number.NEGATIVE_INFINITY) {
    this.#clock = clock;
    this.#calls = calls;
    this.#perMs = perMs;
    this.#blockedUntilMs = blockedUntilMs;
  }

  /**
   * Resolves when one more request may leave, in call order, or immediately if `signal` is aborted. The caller must call the
   * returned function when that request has been answered, or can certainly not arrive any more; if it was `unsent`, its slot is free at once.
   */
  acquire(signal: AbortSignal): Promise<ReleaseSlot> {
    return this.#order.run(signal, () => this.#acquire(signal));
  }

  async #acquire(signal: AbortSignal): Promise<ReleaseSlot> {
    for (let waitMs = this.#waitMs(); waitMs > 0 && !signal.aborted; waitMs = this.#waitMs()) {
      await this.#clock.sleep(Math.min(maxSleepMs, waitMs), AbortSignal.any([signal, this.#wake.signal]));
    }
    this.#unanswered += 1;
    let isReleased = false;
    return (result) => {
      if (isReleased) return;
      isReleased = true;
      this.#unanswered -= 1;
      if (result !== 'unsent') this.#freeAtMs.push(this.#clock.monotonicMs() + this.#perMs);
      this.#wake.abort();
      this.#wake = new AbortController();
    };
  }

  /** Returns the least time until a slot is free, in milliseconds: infinite while each is taken by a request without an answer. */
  #waitMs(): number {
    const nowMs = this.#clock.monotonicMs();
    if (nowMs < this.#blockedUntilMs) return this.#blockedUntilMs - nowMs;
    while (this.#freeAtMs.length > 0 && (this.#freeAtMs[0] ?? 0) <= nowMs) this.#freeAtMs.shift();
    if (this.#unanswered + this.#freeAtMs.length < this.#calls) return 0;
    return this.#freeAtMs[0] === undefined ? Number.POSITIVE_INFINITY : this.#freeAtMs[0] - nowMs;
  }
}
