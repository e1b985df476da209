import type { Clock } from '../core/ports.ts';
import type { Limit } from '../core/publication.ts';

type WindowClock = Pick<Clock, 'monotonic' | 'sleep'>;

/** A request that takes longer to be answered is counted as having reached the gateway by then. */
const longestWayMs = 250;

/**
 * Holds the limit where requests leave: no window of `perMs` holds more than `calls` requests as the gateway sees them.
 * The queue grants a slot when work on a change begins, and between that and the request lie a write to the disk, perhaps a
 * login or a new connection. When a request arrives is only known to be before its answer, so that is when it counts.
 */
export class SendWindow {
  readonly #clock: WindowClock;
  readonly #clearAtMs: number;
  readonly #calls: number;
  readonly #perMs: number;
  /** The last `calls` requests, as a ring: when each reached the gateway at the latest. */
  readonly #arrivedByMs: number[] = [];
  #next = 0;
  #turn: Promise<unknown> = Promise.resolve();

  /** @param clearAtMs when the window is free of another process's requests, on the monotonic clock */
  constructor({ calls, perMs }: Limit, clock: WindowClock, clearAtMs = Number.NEGATIVE_INFINITY) {
    this.#clock = clock;
    this.#calls = calls;
    this.#perMs = perMs;
    this.#clearAtMs = clearAtMs;
  }

  /**
   * Resolves when one more request may leave, in the order of asking, at once if `signal` is aborted. What it resolves to
   * is to be called when that request has been answered or has failed.
   */
  admit(signal: AbortSignal): Promise<() => void> {
    const admitted = this.#turn.then(() => this.#admit(signal));
    this.#turn = admitted;
    return admitted;
  }

  async #admit(signal: AbortSignal): Promise<() => void> {
    const place = this.#next;
    this.#next = (place + 1) % this.#calls;
    const freeAtMs = Math.max((this.#arrivedByMs[place] ?? Number.NEGATIVE_INFINITY) + this.#perMs, this.#clearAtMs);
    const waitMs = (): number => freeAtMs - this.#clock.monotonic();
    while (waitMs() > 0 && !signal.aborted) await this.#clock.sleep(Math.ceil(waitMs()), signal);
    const assumedMs = this.#clock.monotonic() + longestWayMs;
    this.#arrivedByMs[place] = assumedMs;
    return () => {
      if (this.#arrivedByMs[place] === assumedMs) this.#arrivedByMs[place] = Math.min(assumedMs, this.#clock.monotonic());
    };
  }
}
