import type { Clock } from '../../model/ports.ts';
import type { RequestLimits } from '../../model/publication.ts';

type WindowClock = Pick<Clock, 'monotonicMs' | 'sleep'>;

/** A request that takes longer to be answered is counted as having reached the gateway by then. */
const maxTransitMs = 250;

/**
 * Holds the limit where requests leave: no window of `perMs` holds more than `calls` requests as the gateway sees them.
 * The queue grants a slot when work on a change begins, and between that and the request lie a write to the disk, perhaps a
 * login or a new connection. When a request arrives is only known to be before its answer, so that is when it counts.
 */
export class SendWindow {
  readonly #clock: WindowClock;
  readonly #blockedUntilMs: number;
  readonly #calls: number;
  readonly #perMs: number;
  /** The last `calls` requests, as a ring: when each reached the gateway at the latest. */
  readonly #arrivalsMs: number[] = [];
  #next = 0;
  #tail: Promise<unknown> = Promise.resolve();

  /** @param clearAtMs when the window is free of another process's requests, on the monotonic clock */
  constructor({ calls, perMs }: RequestLimits, clock: WindowClock, clearAtMs = Number.NEGATIVE_INFINITY) {
    this.#clock = clock;
    this.#calls = calls;
    this.#perMs = perMs;
    this.#blockedUntilMs = clearAtMs;
  }

  /**
   * Resolves when one more request may leave, in the order of asking, at once if `signal` is aborted. What it resolves to
   * is to be called when that request has been answered or has failed.
   */
  acquire(signal: AbortSignal): Promise<() => void> {
    const admitted = this.#tail.then(() => this.#acquire(signal));
    this.#tail = admitted;
    return admitted;
  }

  async #acquire(signal: AbortSignal): Promise<() => void> {
    const place = this.#next;
    this.#next = (place + 1) % this.#calls;
    const freeAtMs = Math.max((this.#arrivalsMs[place] ?? Number.NEGATIVE_INFINITY) + this.#perMs, this.#blockedUntilMs);
    const waitMs = (): number => freeAtMs - this.#clock.monotonicMs();
    while (waitMs() > 0 && !signal.aborted) await this.#clock.sleep(Math.ceil(waitMs()), signal);
    const assumedMs = this.#clock.monotonicMs() + maxTransitMs;
    this.#arrivalsMs[place] = assumedMs;
    return () => {
      if (this.#arrivalsMs[place] === assumedMs) this.#arrivalsMs[place] = Math.min(assumedMs, this.#clock.monotonicMs());
    };
  }
}
