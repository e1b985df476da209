import { type Clock as FakeTimers, install } from '@sinonjs/fake-timers';
import type { Clock } from '../../src/model/clock.ts';

const realSetImmediate = setImmediate;

/** 2026-01-01: the start of every history. */
const startMs = Date.UTC(2026, 0, 1);

/**
 * The time of one history. While it is installed, every timer of this process, `Date` and `performance.now` belong to it, so that a
 * history of an hour takes milliseconds and is the same each time.
 */
export class VirtualTime implements Clock, Disposable {
  readonly #timers: FakeTimers = install({
    now: startMs,
    toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'setImmediate', 'clearImmediate', 'Date', 'performance'],
  });

  /** A signal of this history that is never aborted. What still waits for one of all histories would never be freed. */
  readonly unending = new AbortController().signal;

  now(): number {
    return Date.now();
  }

  monotonicMs(): number {
    return performance.now();
  }

  sleep(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const end = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', end);
        resolve();
      };
      const timer = setTimeout(end, ms);
      if (signal.aborted) end();
      else signal.addEventListener('abort', end);
    });
  }

  /** Sets the wall clock of the machine; timers and the monotonic clock go on. */
  setWallClock(byMs: number): void {
    this.#timers.setSystemTime(Date.now() + byMs);
  }

  /** Runs everything that is due until `atMs` on the monotonic clock, or until `isDone`. Calls `afterEach` after each step. */
  async runUntil(atMs: number, isDone: () => boolean): Promise<void> {
    let hasArrived = false;
    setTimeout(
      () => {
        hasArrived = true;
      },
      Math.max(0, atMs - performance.now()),
    );
    for (await settle(); !hasArrived && !isDone(); await settle()) this.#timers.next();
  }

  [Symbol.dispose](): void {
    this.#timers.uninstall();
  }
}

/** Resolves when no promise can go on without a timer. */
function settle(): Promise<void> {
  return new Promise((resolve) => void realSetImmediate(resolve));
}
