import type { Check, CheckContext, Sender } from './check.ts';

/** No window of the limit holds more requests than it allows, counted when they arrive. */
export class LimitCheck implements Check {
  readonly #context: CheckContext;
  readonly #arrivedAtMs: number[] = [];

  constructor(context: CheckContext) {
    this.#context = context;
  }

  arrived(sender: Sender): void {
    // A request that outlives its process, or its lease, cannot be counted by the next owner.
    if (!sender.isAlive() || !sender.isLeaseHeld()) return;
    const { options, nowMs, fail } = this.#context;
    const { calls, perMs } = options.limit;
    const atMs = nowMs();
    this.#arrivedAtMs.push(atMs);
    const first = this.#arrivedAtMs.at(-1 - calls);
    if (first !== undefined && atMs - first < perMs - 0.001)
      fail(`limit: ${calls + 1} requests within ${(atMs - first).toFixed(3)} of ${perMs} ms`);
  }
}
