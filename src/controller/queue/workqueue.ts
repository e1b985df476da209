/*
 * The queue folder holds the keys that wait for a call and groups changes into batches. It must never have two calls for one
 * publication in flight, and it never decides whether a change is made: the plan and the reconciler do.
 */
import PQueue from 'p-queue';
import { type Clock, maxTimerMs } from '../../model/clock.ts';
import { assertNever } from '../../model/errors.ts';
import type { RequestLimits } from '../../model/gateway.ts';
import { apiIdOf, type PublicationKey } from '../../model/publication.ts';

/**
 * The result of reconciling one key: done, dropped since the newest plan does not allow it, retry later, or blocked until a person or a new
 * file acts.
 */
export type Result =
  | { readonly kind: 'done' }
  | { readonly kind: 'dropped' }
  /** `failures`: consecutive failures so far. */
  | { readonly kind: 'again'; readonly afterMs: number; readonly failures: number }
  | { readonly kind: 'blocked' };

/** The result of a key, with the fingerprint of the change that was tried, which a later `set` may have replaced. Omitted: none was tried. */
export type TriedResult = Result & { readonly fingerprint?: string };

/** A change that a key stands for. */
export interface QueuedChange {
  readonly key: PublicationKey;
  /** Differs when the file declares another change, which is tried at once, however often the earlier one has failed. */
  readonly fingerprint: string;
}

/** `fingerprint`: of the change as it was last given to `set`. */
type Slot = { readonly fingerprint: string } & (
  | { readonly kind: 'queued'; readonly failures: number }
  | { readonly kind: 'due'; readonly failures: number; readonly dueAtMs: number }
  | { readonly kind: 'blocked' }
);

/** A key in flight. `newest`: the fingerprint of a later `set`, after which the key is reconciled again; `null` if there was none. */
interface RunningKey {
  readonly fingerprint: string;
  readonly failures: number;
  newest: string | null;
}

export interface QueueUpdate {
  /** Whether rejected changes are tried again, because a new file or a person may have fixed the cause. */
  readonly retriesRejected: boolean;
  /** Whether to try everything at once, changes in backoff included, because a person asks for it. */
  readonly retriesAll?: boolean;
  /** Whether a reconciliation continues, so that keys in flight need not be reconciled again. */
  readonly isContinuation?: boolean;
}

export interface WorkqueueDeps {
  readonly limit: RequestLimits;
  /** The most keys that may share a request, and so a slot of the limit. */
  readonly batchSize: number;
  readonly clock: Pick<Clock, 'now' | 'monotonicMs'>;
  /**
   * Reconciles one key inside a slot of the limit and calls `answered` to release the slot as soon as its request has been
   * answered. `failures`: consecutive failures before. A rejection is a bug and ends the process.
   */
  readonly reconcile: (key: PublicationKey, failures: number, answered: () => void) => Promise<TriedResult>;
  /** Called whenever the queue becomes idle. */
  readonly onIdle: () => void;
  /** Called when a retry is due; respond by calling `set`. */
  readonly onRetryDue: () => void;
}

/** The interval at which the wall clock is checked for being set back, and the tolerated difference, both in milliseconds. */
const clockCheckMs = 1000;

/** How long a backoff is remembered after its end while the plan does not contain its key, in milliseconds. */
const absentBackoffMs = 300_000;

/** Retries that are due within this time are run together, in milliseconds. */
const retryGranularityMs = 250;

/**
 * The publications that wait for a call, in order, one slot a key. Two calls for one API are never in flight together, in different
 * environments either: the service refuses overlapping operations on an API (APIG.3500). Keys that have failed queue behind keys
 * that have not been tried, so that many failing ones do not starve the others. p-queue applies the rate limit; the waiting keys are kept here, because they
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
  /** Slots in backoff or blocked whose keys the newest `set` did not contain: a freeze or a suspension must not end a backoff. */
  readonly #absent = new Map<PublicationKey, Slot>();
  /** Queued keys by API, in order. */
  readonly #queued = new Map<string, PublicationKey[]>();
  /** APIs with queued keys and none in flight, from index `#next` on; the ones before have been dequeued. */
  #readyApis: string[] = [];
  #next = 0;
  readonly #running = new Map<PublicationKey, RunningKey>();
  readonly #busyApis = new Set<string>();
  readonly #work = new Set<Promise<void>>();
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

  /** The keys that wait for a call. */
  get queued(): readonly PublicationKey[] {
    return [...this.#queued.values()].flat();
  }

  /** Whether a retry is scheduled. */
  get hasScheduledRetry(): boolean {
    return this.#retryTimer !== null;
  }

  /** Whether nothing is queued or in flight. */
  get isIdle(): boolean {
    return this.#work.size === 0 && this.#queued.size === 0;
  }

  /**
   * Replaces the queue with `changes`: waiting keys that are not among them are dropped, and a key in flight is reconciled again
   * afterwards. A key's backoff ends only with its own success, a change of its own, or `retriesAll`; it outlasts a time in which the key is
   * not among the changes.
   */
  set(changes: Iterable<QueuedChange>, { retriesRejected, retriesAll = false, isContinuation = false }: QueueUpdate): void {
    if (this.#isStopped) return;
    const nowMs = this.#deps.clock.monotonicMs();
    const before = new Map([...this.#absent, ...this.#slots]);
    this.#slots.clear();
    this.#clear();
    const failed: (readonly [QueuedChange, number])[] = [];
    let dueAtMs = Number.POSITIVE_INFINITY;
    for (const change of changes) {
      const { key, fingerprint } = change;
      const running = this.#running.get(key);
      const slot = before.get(key);
      before.delete(key);
      if (running) running.newest = isContinuation && running.fingerprint === fingerprint ? running.newest : fingerprint;
      else if (slot?.fingerprint !== fingerprint || retriesAll) this.#enqueue(change, 0);
      else if (slot.kind === 'blocked' && !retriesRejected) this.#slots.set(key, slot);
      else if (slot.kind === 'due' && slot.dueAtMs > nowMs) {
        this.#slots.set(key, slot);
        dueAtMs = Math.min(dueAtMs, slot.dueAtMs);
      } else if (slot.kind === 'queued' && slot.failures === 0) this.#enqueue(change, 0);
      else failed.push([change, slot.kind === 'blocked' ? 0 : slot.failures]);
    }
    for (const [change, failures] of failed) this.#enqueue(change, failures);
    this.#keepAbsent(before, retriesRejected, nowMs);
    this.#disarmRetryTimer();
    if (dueAtMs < Number.POSITIVE_INFINITY) this.#armRetryTimer(dueAtMs);
    this.#fill();
    if (this.isIdle) this.#deps.onIdle();
  }

  #keepAbsent(slots: Iterable<readonly [PublicationKey, Slot]>, retriesRejected: boolean, nowMs: number): void {
    this.#absent.clear();
    for (const [key, slot] of slots) {
      const isKept = slot.kind === 'due' ? nowMs < slot.dueAtMs + absentBackoffMs : slot.kind === 'blocked' && !retriesRejected;
      if (isKept) this.#absent.set(key, slot);
      // The backoff has ended, but the key was not tried again: keep its count of failures.
      else if (slot.kind === 'queued' && slot.failures > 0) this.#absent.set(key, { ...slot, kind: 'due', dueAtMs: nowMs });
    }
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
    for (const [key, slot] of [...this.#slots])
      if (slot.kind === 'due') this.#enqueue({ key, fingerprint: slot.fingerprint }, slot.failures);
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
    await Promise.all(this.#work);
  }

  #readClockOffsetMs(): number {
    return this.#deps.clock.now() - this.#deps.clock.monotonicMs();
  }

  /** Replaces the limiter when the wall clock is set back: p-queue measures by it and would start nothing for that time. */
  #checkClock(): void {
    const offsetMs = this.#readClockOffsetMs();
    const isSetBack = offsetMs < this.#clockOffsetMs - clockCheckMs;
    // A new limiter would not count the calls in flight, so the check is repeated until there are none.
    if (isSetBack && this.#work.size > 0) return;
    this.#clockOffsetMs = offsetMs;
    if (!isSetBack) return;
    this.#limiter.clear();
    this.#limiter = createLimiter(this.#deps);
    if (this.#isPaused) this.#limiter.pause();
    this.#waitingForLimiter = 0;
    this.#fill();
  }

  #enqueue({ key, fingerprint }: QueuedChange, failures: number): void {
    const apiId = apiIdOf(key);
    this.#slots.set(key, { kind: 'queued', fingerprint, failures });
    const keys = this.#queued.get(apiId);
    if (keys) keys.push(key);
    else {
      this.#queued.set(apiId, [key]);
      if (!this.#busyApis.has(apiId)) this.#readyApis.push(apiId);
    }
  }

  #dequeue(): PublicationKey | undefined {
    const apiId = this.#readyApis[this.#next];
    const key = apiId === undefined ? undefined : this.#queued.get(apiId)?.shift();
    if (apiId === undefined || key === undefined) return undefined;
    this.#next += 1;
    if (this.#queued.get(apiId)?.length === 0) this.#queued.delete(apiId);
    this.#busyApis.add(apiId);
    return key;
  }

  #clear(): void {
    this.#queued.clear();
    this.#readyApis = [];
    this.#next = 0;
  }

  #fill(): void {
    const { limit, batchSize } = this.#deps;
    const isNeeded = (): boolean => this.#waitingForLimiter < Math.min(this.#readyApis.length - this.#next, limit.concurrency * batchSize);
    // The need is computed again for each entry: p-queue may start one immediately, and an entry that finds no key wastes a call of the limit.
    while (isNeeded()) {
      this.#waitingForLimiter += 1;
      this.#limiter.add(() => this.#runNext()).catch(ignoreAbort);
    }
  }

  #runNext(): Promise<void> {
    this.#waitingForLimiter -= 1;
    const key = this.#dequeue();
    const slot = key === undefined ? undefined : this.#slots.get(key);
    if (key === undefined || slot?.kind !== 'queued') return Promise.resolve();
    this.#slots.delete(key);
    const running: RunningKey = { fingerprint: slot.fingerprint, failures: slot.failures, newest: null };
    this.#running.set(key, running);
    return new Promise((answered) => {
      const work = this.#deps.reconcile(key, slot.failures, answered).then((result) => {
        this.#work.delete(work);
        this.#running.delete(key);
        this.#busyApis.delete(apiIdOf(key));
        if (this.#queued.has(apiIdOf(key))) this.#readyApis.push(apiIdOf(key));
        answered();
        if (this.#isStopped) return;
        this.#applyResult(key, result, running);
        this.#fill();
        if (this.isIdle) this.#deps.onIdle();
      });
      this.#work.add(work);
      this.#fill();
    });
  }

  #applyResult(key: PublicationKey, result: TriedResult, running: RunningKey): void {
    const { newest } = running;
    const { fingerprint = running.fingerprint } = result;
    const isChanged = newest !== null && newest !== fingerprint;
    // A dropped key has neither failed nor succeeded, so its count of failures stays.
    const failures = result.kind === 'dropped' && !isChanged ? running.failures : 0;
    // A later `set` may want a change that was dropped in flight. Reconciling it again costs no call if it does not.
    if (isChanged || (newest !== null && (result.kind === 'done' || result.kind === 'dropped'))) {
      this.#enqueue({ key, fingerprint: newest }, failures);
      return;
    }
    switch (result.kind) {
      case 'done':
        return;
      case 'dropped':
        if (failures > 0) this.#absent.set(key, { kind: 'due', fingerprint, failures, dueAtMs: this.#deps.clock.monotonicMs() });
        return;
      case 'blocked':
        this.#slots.set(key, { kind: 'blocked', fingerprint });
        return;
      case 'again': {
        const dueAtMs = this.#deps.clock.monotonicMs() + result.afterMs;
        this.#slots.set(key, { kind: 'due', fingerprint, failures: result.failures, dueAtMs });
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
    this.#retryTimer = setTimeout(
      () => {
        this.#disarmRetryTimer();
        this.#deps.onRetryDue();
      },
      Math.min(maxTimerMs, delayMs),
    );
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
