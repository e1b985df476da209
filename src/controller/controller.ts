import type { Clock } from '../model/clock.ts';
import type { DesiredState } from '../model/desired-state.ts';
import { EdictError, errorMessage, LeaseHeldError, StoreError } from '../model/errors.ts';
import type { Emit, TriggerCause } from '../model/events.ts';
import type { DesiredSource } from '../source/interface.ts';
import type { ReconcileRunner } from './reconcile-runner.ts';
import { backoffMs } from './retry.ts';
import { type LoadResult, nameRetryMs, SourceLoader, strongestCause } from './source-loader.ts';
import type { StaleSourceResult } from './stale-source-check.ts';
import type { RunnerTriggers } from './triggers/runner-triggers.ts';
import { TriggerQueue } from './triggers/trigger-queue.ts';

/*
 * The controller folder decides when to plan and which calls to make when: the loop, the work queue, the rate limit, observation
 * and the triggers. It emits events and never logs, counts or notifies. It never sends a request before its attempt is durable,
 * and it reaches the gateway, the store and the source only through their interface.ts.
 */

export interface ControllerDeps {
  readonly source: DesiredSource;
  readonly clock: Clock;
  readonly emit: Emit;
  /** How long the file must be unchanged before it is read, in milliseconds: an editor saves in several steps. */
  readonly debounceMs: number;
  /** The longest time between two reconciliations when nothing triggers one, in milliseconds. */
  readonly resyncMs: number;
  /**
   * Returns the runner for the desired state's gateway: the current one, or a new one if the address or the limit has changed or the
   * lease has ended. Rejects with an EdictError `LEASE_HELD` while another process holds the lease.
   */
  readonly runnerFor: (desired: DesiredState, triggers: RunnerTriggers) => Promise<ReconcileRunner>;
  /** Returns whether the gateway may be taken over from another process. Rejects with an EdictError `STORE_*`. */
  readonly checkStaleSource: (desired: DesiredState) => Promise<StaleSourceResult>;
  /** Whether another process holds the lease, so that a standby need not look at the store before `onAvailable`. */
  readonly isWaiting: () => boolean;
  /** Consecutive tries of a reconciliation; for a daemon no limit. */
  readonly maxTries: number;
}

/** Interval between attempts to load a file whose names only the holder of the lease may resolve, in milliseconds. */
const leaseRetryMs = 500;

/** The longest delay before a failed reconciliation is run again, in milliseconds: a takeover waits for the store too. */
const maxFailureRetryMs = 10_000;

const staleSourceMessage =
  'the file here is older than the one that was applied last; waiting up to three minutes for a newer one; send SIGHUP to use this one';

/** The causes for which the file is loaded before a plan is computed. */
const loadingCauses: ReadonlySet<TriggerCause> = new Set(['startup', 'signal', 'requested', 'file', 'resync']);

/**
 * The only loop that decides when to plan: it takes the due triggers, loads the file, holds the lease, computes the plan and hands its
 * keys to the work queue. A trigger carries no data, so a late, duplicate or lost one does no harm. The loop never waits for the
 * gateway: loads, observations, probes and calls run beside it and end in a trigger.
 */
export class Controller {
  readonly #deps: ControllerDeps;
  readonly #stopping = new AbortController();
  readonly #triggers: TriggerQueue;
  readonly #loader: SourceLoader;
  readonly #runnerTriggers: RunnerTriggers;
  #runner: ReconcileRunner | null = null;
  /** Why this process is on standby; `null` while it holds the gateway's lease. */
  #standbyReason: string | null = null;
  /** Consecutive reconciliations that failed. */
  #failures = 0;
  /** The cause of a reconciliation that failed and must be run again. */
  #pendingCause: TriggerCause | null = null;
  #hasPlanned = false;
  #isReconciling = false;
  /** When the last reconciliation ended, on the monotonic clock. */
  #reconciledAtMs: number;
  #fatalError: unknown = null;

  constructor(deps: ControllerDeps) {
    const { clock, source, emit } = deps;
    this.#deps = deps;
    this.#reconciledAtMs = clock.monotonicMs();
    this.#triggers = new TriggerQueue(clock);
    this.#loader = new SourceLoader({ source, clock, emit, onLoaded: () => this.#triggers.wake() });
    this.#runnerTriggers = {
      trigger: (cause, afterMs) => this.#triggers.trigger(cause, afterMs),
      wake: () => this.#triggers.wake(),
      fail: (error) => {
        this.#fatalError = error;
        this.#triggers.wake();
      },
    };
    this.#triggers.trigger('startup');
  }

  /**
   * Follows the file until `stop`. Rejects if the first reconciliation fails with an error that no retry can remedy, such as missing
   * credentials. Later errors are emitted, and the reconciliation is run again.
   */
  async run(): Promise<void> {
    const watch = await this.#deps.source.watch(() => this.trigger('file'));
    try {
      await this.#loop(() => false);
    } finally {
      await watch.close();
    }
  }

  /** Runs until no call is left to make, or until `stop`. Rejects if the first plan cannot be computed. */
  async runOnce(): Promise<void> {
    await this.#loop(() => this.isIdle || this.#failures >= this.#deps.maxTries);
  }

  /** Whether no call is left to make and nothing is due that may lead to one. */
  get isIdle(): boolean {
    const isQuiet = !this.#isReconciling && this.#failures === 0 && this.#triggers.isEmpty && !this.#loader.isBusy;
    return isQuiet && (this.#runner?.isIdle ?? true);
  }

  /** Requests a reconciliation soon. */
  trigger(cause: TriggerCause): void {
    // Debounced as well: the file that a request is about may not have reached this host yet.
    if (cause === 'file' || cause === 'requested') this.#triggers.debounce(cause, this.#deps.debounceMs);
    else this.#triggers.trigger(cause);
  }

  /** Takes the gateway over if this process is on standby, because the lease may be free. Call it again as long as it is. */
  onAvailable(): void {
    const isBusy = this.#isReconciling || this.#loader.isBusy || this.#failures > 0;
    if (this.#standbyReason !== null && !isBusy) this.#triggers.trigger('resync');
  }

  /** Ends `run` and `runOnce`: no reconciliation begins from here on. */
  stop(): void {
    this.#stopping.abort();
  }

  async #loop(isDone: () => boolean): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted && !isDone()) {
      const causes = [...(await this.#triggers.next(this.#resyncAtMs(), signal))];
      if (this.#fatalError !== null) throw this.#fatalError;
      if (signal.aborted) break;
      const toLoad = strongestCause(...causes.filter((cause) => loadingCauses.has(cause)));
      if (toLoad !== null) this.#loader.start(toLoad);
      const loaded = this.#loader.take();
      const toPlan = strongestCause(...causes.filter((cause) => !loadingCauses.has(cause)), loaded?.cause);
      if (toPlan !== null) await this.#reconcile(toPlan, loaded);
    }
    await this.#loader.stop();
  }

  async #reconcile(triggered: TriggerCause, loaded: LoadResult | null): Promise<void> {
    const { runnerFor, emit, clock } = this.#deps;
    const { desired } = this.#loader;
    const causeIfUnchanged = triggered === 'file' ? 'resync' : triggered;
    let cause = strongestCause(this.#pendingCause, loaded?.isNew ? 'file' : null, causeIfUnchanged) ?? triggered;
    this.#isReconciling = true;
    try {
      if (loaded?.error) throw loaded.error;
      const wasStandby = this.#standbyReason !== null;
      const isDue = loaded?.isNew || cause === 'signal' || this.#failures > 0;
      if (wasStandby && !isDue && this.#deps.isWaiting()) return;
      if (!desired || (wasStandby && cause !== 'signal' && !(await this.#mayTakeOver(desired)))) return;
      if (wasStandby) cause = 'startup';
      this.#runner = await runnerFor(desired, this.#runnerTriggers);
      this.#standbyReason = null;
      if (wasStandby) emit({ type: 'lease:acquired' });
      this.#hasPlanned = (await this.#runner.reconcile(desired, cause)) || this.#hasPlanned;
      this.#failures = 0;
      this.#pendingCause = null;
    } catch (error) {
      this.#onFailed(error, cause);
    } finally {
      this.#isReconciling = false;
      this.#reconciledAtMs = clock.monotonicMs();
    }
  }

  /** Whether the gateway may be taken over with this file. Rejects with an EdictError `STORE_*`. */
  async #mayTakeOver(desired: DesiredState): Promise<boolean> {
    const result = await this.#deps.checkStaleSource(desired);
    if (result === 'free') return true;
    if (result === 'behind') this.#enterStandby(staleSourceMessage);
    this.#failures = 0;
    return false;
  }

  #onFailed(error: unknown, cause: TriggerCause): void {
    const { emit, maxTries } = this.#deps;
    const isOnce = maxTries < Number.POSITIVE_INFINITY;
    if (error instanceof LeaseHeldError && !isOnce) {
      this.#enterStandby(error.message);
      return;
    }
    if (!this.#hasPlanned && (isOnce || !(error instanceof StoreError))) throw error;
    this.#failures += 1;
    this.#pendingCause = strongestCause(this.#pendingCause, cause);
    if (error instanceof StoreError) emit({ type: 'store:error', reconcileId: '', message: error.message });
    else emit({ type: 'reconcile:failed', message: errorMessage(error), hint: error instanceof EdictError ? error.hint : null });
  }

  #enterStandby(reason: string): void {
    if (reason !== this.#standbyReason) this.#deps.emit({ type: 'lease:standby', reason });
    this.#standbyReason = reason;
    this.#failures = 0;
    // A takeover starts with a full reconciliation.
    this.#pendingCause = null;
  }

  /** When to load the file and compute a plan although nothing has triggered it, on the monotonic clock. */
  #resyncAtMs(): number {
    const { resyncMs } = this.#deps;
    const { desired, hasUnresolvedNames, isBusy } = this.#loader;
    if (isBusy) return Number.POSITIVE_INFINITY;
    const intervalsMs = [resyncMs];
    if (resyncMs < Number.POSITIVE_INFINITY && desired?.refreshIntervalMs) intervalsMs.push(desired.refreshIntervalMs);
    if (hasUnresolvedNames) intervalsMs.push(nameRetryMs);
    if (this.#failures > 0) intervalsMs.push(maxFailureRetryMs, backoffMs(this.#failures, 1));
    else if (this.#standbyReason !== null && desired === null) intervalsMs.push(leaseRetryMs);
    return this.#reconciledAtMs + Math.min(...intervalsMs);
  }
}
