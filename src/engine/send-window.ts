import type { Clock } from '../core/ports.ts';
import type { Limit } from '../core/publication.ts';

/** Requests do not all take the same time to the gateway: the windows are kept this much longer, as a share and in milliseconds. */
const marginShare = 0.01;
const leastMarginMs = 2;

/**
 * Holds the limit where requests leave: the queue grants a slot when work on a change begins, and between that and the
 * request lie a write to the disk and perhaps a login. No window of `perMs` sees more than `calls` requests.
 */
export class SendWindow {
  readonly #clock: Clock;
  readonly #calls: number;
  readonly #windowMs: number;
  /** When the last `calls` requests left, as a ring. */
  readonly #leftAtMs: number[] = [];
  #next = 0;
  #turn: Promise<void> = Promise.resolve();

  constructor({ calls, perMs }: Limit, clock: Clock) {
    this.#clock = clock;
    this.#calls = calls;
    this.#windowMs = perMs + Math.max(leastMarginMs, perMs * marginShare);
  }

  /** Resolves when one more request may leave, in the order of asking; at once if `signal` is aborted. */
  admit(signal: AbortSignal): Promise<void> {
    this.#turn = this.#turn.then(async () => {
      const freeAtMs = (this.#leftAtMs[this.#next] ?? Number.NEGATIVE_INFINITY) + this.#windowMs;
      for (let waitMs = freeAtMs - this.#clock.now(); waitMs > 0 && !signal.aborted; waitMs = freeAtMs - this.#clock.now()) {
        await this.#clock.sleep(Math.ceil(waitMs), signal);
      }
      this.#leftAtMs[this.#next] = this.#clock.now();
      this.#next = (this.#next + 1) % this.#calls;
    });
    return this.#turn;
  }
}
