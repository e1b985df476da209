/*
 * The queue folder holds the keys that wait for a call and groups changes into batches. It must never have two calls for one
 * publication in flight, and it never decides whether a change is made: that is the plan's and the reconciler's.
 */
import PQueue from 'p-queue';
import { assertNever } from '../../model/errors.ts';
import type { Clock } from '../../model/ports.ts';
import type { PublicationKey, RequestLimits } from '../../model/publication.ts';

/** The result of reconciling one key: done, retry later, or blocked until a person or a new file acts. */
export type Result =
  | { readonly kind: 'done' }
  /** `failures`: consecutive failures so far. */
  | { readonly kind: 'again'; readonly afterMs: number; readonly failures: number }
  | { readonly kind: 'blocked' };

type Slot =
  | { readonly kind: 'queued'; readonly failures: number }
  | { readonly kind: 'running'; readonly failures: number; dirty: boolean }
  | { readonly kind: 'due'; readonly failures: number; readonly dueAtMs: number }
  | { readonly kind: 'blocked' };

export interface WorkqueueDeps {
  readonly limit: RequestLimits;
  /** The most keys that may share a request, and so a slot of the limit. */
  readonly batchSize: number;
  readonly clock: Pick<Clock, 'now' | 'monotonicMs'>;
  /**
   * Reconciles one key inside a slot of the limit and calls `answered` to release the slot as soon as its request has been
   * answered. `failures`: consecutive failures before. A rejection is a bug and ends the process.
   */
  readonly reconcile: (key: PublicationKey, failures: number, answered: () => void) => Promise<Result>;
  /** Called whenever the queue becomes idle. */
  readonly onIdle: () => void;
  /** Called when a retry is due; respond by calling `set`. */
  readonly onRetryDue: () => void;
}

/** The interval at which the wall clock is checked for being set back, and the tolerated difference, both in milliseconds. */
const clockCheckMs = 1000;

/** Retries that are due within this time are run together, in milliseconds. */
const retryGranularityMs = 250;

/**
 * The publications that wait for a call, in order, one slot a key: two calls for one publication are never in flight
 * together, and repeated requests for it are merged. p-queue applies the rate limit; the waiting keys are kept here, because they
 * may be replaced at any time and an entry in p-queue may not.
 */
export class Workqueue {
  readonly #deps: WorkqueueDeps;
  #limiter: PQueue;
  readonly #clockTimer: NodeJS.Timeout;
  /** Wall clock minus monotonic clock, in milliseconds; it changes when the wall clock is set. */
  #clockOffsetMs: number;
  #isPaused = false;
  readonly #slots = new Map<PublicationKey, Slot>();
  /** Waiting keys, from index `#next` on; the ones before have been dequeued. */
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

  /** The number of keys that wait for a call. */
  get queued(): number {
    return this.#queue.length - this.#next;
  }

  /** Whether a retry is scheduled. */
  get hasScheduledRetry(): boolean {
    return this.#retryTimer !== null;
  }

  /** Whether nothing is queued or in flight. */
  get isIdle(): boolean {
    return this.#running.size === 0 && this.queued === 0;
  }

  /**
   * Replaces the queue with `keys`: waiting keys that are not among them are dropped, and a key in flight is reconciled again
   * afterwards, unless `isSequel`: then nothing has changed for it. `fresh` resets failures, because a new file or a person
   * may have fixed the cause.
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
      else if (!fresh && slot?.kind === 'blocked') this.#slots.set(key, slot);
      else if (!fresh && slot?.kind === 'due' && slot.dueAtMs > now) {
        this.#slots.set(key, slot);
        dueAtMs = Math.min(dueAtMs, slot.dueAtMs);
      } else this.#enqueue(key, fresh || !slot || slot.kind === 'blocked' ? 0 : slot.failures);
    }
    this.#disarmRetryTimer();
    if (dueAtMs < Number.POSITIVE_INFINITY) this.#armRetryTimer(dueAtMs);
    this.#fill();
    if (this.isIdle) this.#deps.onIdle();
  }

  /** Starts no key until `resume`. */
  pause(): void {
    this.#isPaused = true;
    this.#limiter.pause();
  }

  /** Continues after `pause`. */
  resume(): void {
    this.#isPaused = false;
    this.#limiter.start();
  }

  /** Runs all scheduled retries now. */
  retryNow(): void {
    const due = [...this.#slots].filter(([, slot]) => slot.kind === 'due');
    for (const [key, slot] of due) this.#enqueue(key, slot.kind === 'due' ? slot.failures : 0);
    this.#disarmRetryTimer();
    this.#fill();
  }

  /** Drops the waiting keys and resolves when the calls in flight are finished and recorded. */
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

  /** Replaces the limiter when the wall clock is set back: p-queue measures by it and would start nothing for that time. */
  #checkClock(): void {
    const offsetMs = this.#readClockOffsetMs();
    const isSetBack = offsetMs < this.#clockOffsetMs - clockCheckMs;
    // A new limiter would not count the calls in flight, so the check is repeated until there are none.
    if (isSetBack && this.#running.size > 0) return;
    this.#clockOffsetMs = offsetMs;
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
    const needed = Math.min(this.queued, limit.concurrency * batchSize);
    while (this.#waitingForLimiter < needed) {
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
      const work = this.#deps.reconcile(key, failures, answered).then((result) => {
        this.#running.delete(work);
        answered();
        if (this.#isStopped) return;
        this.#applyResult(key, result, running.dirty);
        this.#fill();
        if (this.isIdle) this.#deps.onIdle();
      });
      this.#running.add(work);
      this.#fill();
    });
  }

  #applyResult(key: PublicationKey, result: Result, dirty: boolean): void {
    if (dirty) {
      this.#enqueue(key, 0);
      return;
    }
    switch (result.kind) {
      case 'done':
        this.#slots.delete(key);
        return;
      case 'blocked':
        this.#slots.set(key, result);
        return;
      case 'again': {
        const dueAtMs = this.#deps.clock.monotonicMs() + result.afterMs;
        this.#slots.set(key, { kind: 'due', failures: result.failures, dueAtMs });
        this.#armRetryTimer(dueAtMs);
        return;
      }
      default:
        assertNever(result);
    }
  }

  /** Calls `onRetryDue` shortly after the earliest `dueAtMs` since the timer was disarmed. */
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

/** Ignores aborted limiter entries. Any other error is a bug. */
function ignoreAbort(error: unknown): void {
  if (!(error instanceof DOMException)) throw error;
}

function createLimiter({ limit: { calls, perMs, concurrency }, batchSize }: WorkqueueDeps): PQueue {
  // Without `strict` nearly two windows' worth of calls can fall into one window.
  return new PQueue({ concurrency: concurrency * batchSize, interval: perMs, intervalCap: calls * batchSize, strict: true });
}
