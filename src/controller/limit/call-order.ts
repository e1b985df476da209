import { settledOrAborted } from '../../model/clock.ts';

/** Runs waits one at a time, in call order. A wait that is given up does not wait for its turn, and holds up nobody. */
export class CallOrder {
  #last: Promise<unknown> = Promise.resolve();

  /** Calls `wait` when every earlier wait has ended, or as soon as `signal` is aborted. Settles as `wait` does. */
  run<T>(signal: AbortSignal, wait: () => Promise<T>): Promise<T> {
    const before = this.#last;
    const ended = settledOrAborted(before, signal).then(wait);
    // Without its result, which would hold the results of all waits before.
    this.#last = Promise.allSettled([before, ended]).then(() => undefined);
    return ended;
  }
}
