import { setTimeout as sleep } from 'node:timers/promises';

/** How long nothing is made after a value, as a multiple of the time that it took: requests cost at most a tenth of the time. */
const idleFactor = 9;

/** The longest time that a request waits because of that, in milliseconds. */
const maxIdleMs = 5000;

export interface LatestValueDeps<T> {
  /** Returns something that is the same as long as the value is. */
  readonly revision: () => unknown;
  readonly make: () => Promise<T>;
}

/**
 * A value that is made at most once for each revision, however many requests ask for it at a time, and is never older than the request. A request
 * waits rather than let many revisions in a row keep the processor busy.
 */
export class LatestValue<T> {
  readonly #deps: LatestValueDeps<T>;
  #latest: { readonly revision: unknown; readonly value: Promise<T> } | null = null;
  /** The value that requests wait for which need a newer one than the latest. */
  #next: Promise<T> | null = null;
  #idleUntilMs = 0;

  constructor(deps: LatestValueDeps<T>) {
    this.#deps = deps;
  }

  /** Returns the value of the current revision. Rejects if it cannot be made, and then tries again for the next request. */
  get(): Promise<T> {
    const latest = this.#latest;
    if (latest !== null && latest.revision === this.#deps.revision()) return latest.value;
    this.#next ??= this.#makeNext();
    return this.#next;
  }

  async #makeNext(): Promise<T> {
    await this.#latest?.value.catch(() => undefined);
    const waitMs = this.#idleUntilMs - performance.now();
    if (waitMs > 0) await sleep(waitMs, undefined, { ref: false });
    this.#next = null;
    const startedAtMs = performance.now();
    const latest = { revision: this.#deps.revision(), value: this.#deps.make() };
    this.#latest = latest;
    try {
      return await latest.value;
    } catch (error) {
      if (this.#latest === latest) this.#latest = null;
      throw error;
    } finally {
      const endedAtMs = performance.now();
      this.#idleUntilMs = endedAtMs + Math.min(maxIdleMs, (endedAtMs - startedAtMs) * idleFactor);
    }
  }
}
