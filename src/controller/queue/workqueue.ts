import PQueue from 'p-queue';
import { assertNever } from '../../model/errors.ts';
import type { Clock } from '../../model/ports.ts';
import type { PublicationKey, RequestLimits } from '../../model/publication.ts';

/** What the work on one key came to: nothing is left, try again later, or nothing helps but a person or a new file. */
export type Result =
  | { readonly kind: 'done' }
  /** `failures`: how many there have been in a row by now. */
  | { readonly kind: 'again'; readonly afterMs: number; readonly failures: number }
  | { readonly kind: 'stalled' };

type Slot =
  | { readonly kind: 'queued'; readonly failures: number }
  | { readonly kind: 'running'; readonly failures: number; dirty: boolean }
  | { readonly kind: 'due'; readonly failures: number; readonly dueAtMs: number }
  | { readonly kind: 'stalled' };

export interface WorkqueueDeps {
  readonly limit: RequestLimits;
  /** How many keys may share a request, and so a slot. */
  readonly batchSize: number;
  readonly clock: Pick<Clock, 'now' | 'monotonicMs'>;
  /**
   * Works on one key, inside a slot of the limit, which it gives free with `answered` as soon as its request has been
   * answered. `failures` counts those in a row before. To reject is a bug, and ends the process.
   */
  readonly reconcile: (key: PublicationKey, failures: number, answered: () => void) => Promise<Result>;
  /** Called whenever nothing is queued or running any more. */
  readonly onIdle: () => void;
  /** Called when a key's time to try again has come; answer with `replace`. */
  readonly onRetryDue: () => void;
}

/** How often it is looked whether the machine's clock was set back, in milliseconds, and by how much it may lag unnoticed. */
const clockCheckMs = 1000;

/** Keys that come due close together come back together. */
const retryGranularityMs = 250;

/**
 * Which publications wait for a call, in order, one slot a key: so two calls for one publication are never in flight
 * together, and a hundred wishes for it are one. The rate limit is p-queue's; the waiting is here, because what waits
 * may change at any time while a place in p-queue may not.
 */
export class Workqueue {
  readonly #deps: WorkqueueDeps;
  #limiter: PQueue;
  readonly #clockTimer: NodeJS.Timeout;
  /** By how much the machine's clock is ahead of the monotonic one; it changes when somebody sets the clock. */
  #clockOffsetMs: number;
  #isPaused = false;
  readonly #slots = new Map<PublicationKey, Slot>();
  /** From `#next` on; what lies before has been taken. */
  #queue: PublicationKey[] = [];
  #next = 0;
  readonly #running = new Set<Promise<void>>();
  #waitingForLimiter = 0;
  #retryTimer: NodeJS.Timeout | null = null;
  #retryTimerAtMs = Number.POSITIVE_INFINITY;
  #isStopped = false;

  constructor(deps: WorkqueueDeps) {
    this.#deps = deps;
    this.#limiter = createLimiter(deps);
    this.#clockOffsetMs = this.#readClockOffsetMs();
    this.#clockTimer = setInterval(() => this.#checkClock(), clockCheckMs);
    this.#clockTimer.unref();
  }

  /** How many keys wait for a call now. */
  get queued(): number {
    return this.#queue.length - this.#next;
  }

  /** Whether some key will be tried again when its time comes. */
  get hasScheduledRetry(): boolean {
    return this.#retryTimer !== null;
  }

  /** Whether nothing is queued or in flight. */
  get isIdle(): boolean {
    return this.#running.size === 0 && this.queued === 0;
  }

  /**
   * Makes `keys` all that is wanted: what waits and is not among them is dropped, and one in flight is looked at again
   * afterwards, unless `isSequel`: then nothing has changed for it. `fresh` forgets earlier failures: a new file or a person
   * may have mended what was wrong.
   */
  set(keys: Iterable<PublicationKey>, { fresh, isSequel = false }: { readonly fresh: boolean; readonly isSequel?: boolean }): void {
    if (this.#isStopped) return;
    const now = this.#deps.clock.monotonicMs();
    const before = new Map(this.#slots);
    for (const [key, slot] of before) if (slot.kind !== 'running') this.#slots.delete(key);
    this.#clear();
    let dueAtMs = Number.POSITIVE_INFINITY;
    for (const key of keys) {
      const slot = before.get(key);
      if (slot?.kind === 'running') slot.dirty ||= !isSequel;
      else if (!fresh && slot?.kind === 'stalled') this.#slots.set(key, slot);
      else if (!fresh && slot?.kind === 'due' && slot.dueAtMs > now) {
        this.#slots.set(key, slot);
        dueAtMs = Math.min(dueAtMs, slot.dueAtMs);
      } else this.#enqueue(key, fresh || !slot || slot.kind === 'stalled' ? 0 : slot.failures);
    }
    this.#disarmRetryTimer();
    if (dueAtMs < Number.POSITIVE_INFINITY) this.#armRetryTimer(dueAtMs);
    this.#fill();
    if (this.isIdle) this.#deps.onIdle();
  }

  /** Starts nothing until `start`. */
  pause(): void {
    this.#isPaused = true;
    this.#limiter.pause();
  }

  /** Goes on after `pause`. */
  resume(): void {
    this.#isPaused = false;
    this.#limiter.start();
  }

  /** Lets every key whose time to try again is still to come be tried now. */
  retryNow(): void {
    const due = [...this.#slots].filter(([, slot]) => slot.kind === 'due');
    for (const [key, slot] of due) this.#enqueue(key, slot.kind === 'due' ? slot.failures : 0);
    this.#disarmRetryTimer();
    this.#fill();
  }

  /** Drops what waits and resolves when the calls in flight have ended and are recorded. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#clear();
    this.#disarmRetryTimer();
    clearInterval(this.#clockTimer);
    this.#limiter.clear();
    await Promise.all(this.#running);
  }

  #readClockOffsetMs(): number {
    return this.#deps.clock.now() - this.#deps.clock.monotonicMs();
  }

  /** p-queue measures its windows by the machine's clock: set back an hour, it would let nothing begin for an hour. */
  #checkClock(): void {
    const aheadMs = this.#readClockOffsetMs();
    const isSetBack = aheadMs < this.#clockOffsetMs - clockCheckMs;
    // While work is under way it would not be counted by a new limiter.
    if (isSetBack && this.#running.size > 0) return;
    this.#clockOffsetMs = aheadMs;
    if (!isSetBack) return;
    this.#limiter.clear();
    this.#limiter = createLimiter(this.#deps);
    if (this.#isPaused) this.#limiter.pause();
    this.#waitingForLimiter = 0;
    this.#fill();
  }

  #enqueue(key: PublicationKey, failures: number): void {
    this.#slots.set(key, { kind: 'queued', failures });
    this.#queue.push(key);
  }

  #dequeue(): PublicationKey | undefined {
    const key = this.#queue[this.#next];
    if (key === undefined) this.#clear();
    else this.#next += 1;
    return key;
  }

  #clear(): void {
    this.#queue = [];
    this.#next = 0;
  }

  #fill(): void {
    const { limit, batchSize } = this.#deps;
    const wanted = Math.min(this.queued, limit.concurrency * batchSize);
    while (this.#waitingForLimiter < wanted) {
      this.#waitingForLimiter += 1;
      this.#limiter.add(() => this.#runNext()).catch(ignoreAbort);
    }
  }

  #runNext(): Promise<void> {
    this.#waitingForLimiter -= 1;
    const key = this.#dequeue();
    if (key === undefined) return Promise.resolve();
    const slot = this.#slots.get(key);
    const failures = slot?.kind === 'queued' ? slot.failures : 0;
    const running: Slot = { kind: 'running', failures, dirty: false };
    this.#slots.set(key, running);
    return new Promise((answered) => {
      const working = this.#deps.reconcile(key, failures, answered).then((verdict) => {
        this.#running.delete(working);
        answered();
        if (this.#isStopped) return;
        this.#applyResult(key, verdict, running.dirty);
        this.#fill();
        if (this.isIdle) this.#deps.onIdle();
      });
      this.#running.add(working);
      this.#fill();
    });
  }

  #applyResult(key: PublicationKey, verdict: Result, dirty: boolean): void {
    if (dirty) {
      this.#enqueue(key, 0);
      return;
    }
    switch (verdict.kind) {
      case 'done':
        this.#slots.delete(key);
        return;
      case 'stalled':
        this.#slots.set(key, verdict);
        return;
      case 'again': {
        const dueAtMs = this.#deps.clock.monotonicMs() + verdict.afterMs;
        this.#slots.set(key, { kind: 'due', failures: verdict.failures, dueAtMs });
        this.#armRetryTimer(dueAtMs);
        return;
      }
      default:
        assertNever(verdict);
    }
  }

  /** Sees to it that `onDue` is called soon after the earliest time that this was called with. */
  #armRetryTimer(dueAtMs: number): void {
    if (this.#retryTimerAtMs <= dueAtMs) return;
    this.#disarmRetryTimer();
    this.#retryTimerAtMs = dueAtMs;
    const delayMs = Math.max(0, dueAtMs - this.#deps.clock.monotonicMs()) + retryGranularityMs;
    this.#retryTimer = setTimeout(() => {
      this.#disarmRetryTimer();
      this.#deps.onRetryDue();
    }, delayMs);
  }

  #disarmRetryTimer(): void {
    if (this.#retryTimer) clearTimeout(this.#retryTimer);
    this.#retryTimer = null;
    this.#retryTimerAtMs = Number.POSITIVE_INFINITY;
  }
}

/** A place that was given up is none to miss. Anything else is a bug. */
function ignoreAbort(error: unknown): void {
  if (!(error instanceof DOMException)) throw error;
}

function createLimiter({ limit: { calls, perMs, concurrency }, batchSize }: WorkqueueDeps): PQueue {
  // Without `strict` nearly two windows' worth of calls can fall into one window.
  return new PQueue({ concurrency: concurrency * batchSize, interval: perMs, intervalCap: calls * batchSize, strict: true });
}
