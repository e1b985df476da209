import { randomUUID } from 'node:crypto';
import type { Gateway, Probe } from '../gateway/interface.ts';
import type { Change } from '../model/change.ts';
import type { Clock } from '../model/clock.ts';
import type { DesiredState } from '../model/desired-state.ts';
import { EdictError, LeaseHeldError, ObservationFailedError } from '../model/errors.ts';
import type { Emit, TriggerCause } from '../model/events.ts';
import type { PublicationKey } from '../model/publication.ts';
import type { RefreshMode } from '../model/settings.ts';
import { sortByBatch } from '../plan/batch.ts';
import type { SavedPlan } from '../plan/saved-plan.ts';
import type { Targets } from '../plan/targets.ts';
import type { Store } from '../store/interface.ts';
import type { RateLimiter } from './limit/rate-limiter.ts';
import { Recovery } from './limit/recovery.ts';
import { Planner } from './planner.ts';
import { Batcher } from './queue/batcher.ts';
import { type TriedResult, Workqueue } from './queue/workqueue.ts';
import { type ReconcilerDeps, reconcile, retryReason } from './reconciler.ts';
import { PlanProgress } from './reconciliation.ts';
import { authFailure, requeueWithBackoff, resultOf } from './result.ts';
import { retryWrite } from './retry.ts';
import { StatusReporter } from './status-reporter.ts';
import type { RunnerTriggers } from './triggers/runner-triggers.ts';
import { UnknownOutcomes } from './unknown-outcomes.ts';

export interface ReconcileRunnerDeps {
  readonly store: Store;
  readonly gateway: Gateway;
  readonly rateLimiter: RateLimiter;
  readonly probe: Probe;
  readonly emit: Emit;
  readonly clock: Clock;
  /** A number from 0 to 1. */
  readonly random: () => number;
  /** Consecutive tries of one change before it is left for a person or a new file. */
  readonly maxTries: number;
  /** Whether the first reconciliation observes the gateway. */
  readonly refresh: RefreshMode;
  /** Whether the gateway is an emulated one, which ends with this process: nothing is online there that the record does not have. */
  readonly isEmulated: boolean;
  /** The changes to make calls for; all others are planned and excluded. */
  readonly targets: Targets;
  /** The saved plan: only its changes are made, and none that is stale. `null` allows every needed change. */
  readonly saved: SavedPlan | null;
  readonly triggers: RunnerTriggers;
}

/** The shortest delay before planning again after a finished change, in milliseconds, so that one plan covers several finished changes. */
const minReplanDelayMs = 50;

/** The largest share of time spent on planning again, because a plan of many publications is slow. */
const maxPlanningShare = 1 / 5;

/** Reconciles one gateway: compares the whole desired state with the whole recorded state and makes the missing calls. */
export class ReconcileRunner {
  readonly #deps: ReconcileRunnerDeps;
  readonly #stopping = new AbortController();
  readonly #planner: Planner;
  readonly #queue: Workqueue;
  readonly #reconcilerDeps: ReconcilerDeps;
  readonly #recovery: Recovery;
  readonly #statusReporter: StatusReporter;
  readonly #progress: PlanProgress;
  #isReplanRequested = false;
  #planDurationMs = 0;
  /** The ID of a reconciliation that has started and waits for an observation. */
  #awaitedId: string | null = null;

  constructor(desired: DesiredState, deps: ReconcileRunnerDeps) {
    const { gateway, clock, triggers } = deps;
    const { signal } = this.#stopping;
    const onStoreError = (error: unknown) => this.#onStoreError(error);
    this.#deps = deps;
    this.#progress = new PlanProgress({ isOnce: deps.maxTries < Number.POSITIVE_INFINITY });
    this.#planner = new Planner(desired, {
      ...deps,
      signal,
      isUnauthorized: () => deps.rateLimiter.isPausedFor('credentials'),
      onUnauthorized: (failure) => this.#recovery.onUnauthorized(failure),
      onOutdated: () => this.#requestReplan(),
      onStoreError,
    });
    this.#queue = new Workqueue({
      limit: desired.gateway.limit,
      batchSize: desired.gateway.batchSize,
      clock,
      reconcile: (key, failures, answered) => this.#reconcileKey(key, failures, answered),
      onIdle: () => this.#finishReconciliation(),
      onRetryDue: () => triggers.trigger('retry'),
    });
    this.#reconcilerDeps = {
      ...deps,
      emit: (event) => {
        if (event.type === 'attempt:recovered' && event.outcome.kind === 'succeeded') this.#progress.recordMade(event.change);
        deps.emit(event);
      },
      settings: desired.gateway,
      batcher: new Batcher({ gateway, settings: desired.gateway, clock, signal }),
      unknownOutcomes: new UnknownOutcomes(desired.gateway, clock),
      now: clock.now,
      desired: () => this.#planner.desired,
      allowedChange: (change, recorded) => this.#planner.allowed(change, recorded),
      signal,
      retryWrite: (write) => retryWrite(write, { ...deps, signal, onError: onStoreError }),
    };
    const failedProbes = () => this.#planner.failedProbes;
    this.#statusReporter = new StatusReporter(desired.gateway, { ...deps, failedProbes, onError: onStoreError });
    this.#recovery = new Recovery({
      ...deps,
      signal,
      onPaused: () => this.#onPaused(),
      onResumed: (retriesNow) => this.#onResumed(retriesNow),
      onGivenUp: triggers.wake,
    });
  }

  /**
   * Computes a plan from the whole desired and recorded state and starts its calls; never waits for the gateway. Unsent calls of an
   * earlier reconciliation are dropped unless this plan needs them too. Resolves to whether a plan was computed: not while the plan needs an
   * observation that is in progress. Its end triggers `observed`.
   *
   * @throws EdictError `STORE_*` if the recorded state cannot be read, `SAVED_PLAN_STALE` as `planReconciliation` does; nothing was sent then
   */
  async reconcile(desired: DesiredState, cause: TriggerCause): Promise<boolean> {
    const { emit, clock, gateway, rateLimiter } = this.#deps;
    const retriesRejected = cause === 'file' || cause === 'signal' || cause === 'approval' || cause === 'requested';
    const isContinuation = cause === 'rollout' || cause === 'timer' || cause === 'observed';
    const reconcileId = (isContinuation ? this.#progress.reconcileId : null) ?? this.#awaitedId ?? randomUUID();
    const startedAtMs = clock.monotonicMs();
    if (this.#awaitedId === null) emit({ type: 'reconcile:started', reconcileId, cause });
    this.#isReplanRequested = false;
    if (cause === 'signal') gateway.retryCredentials();
    if (cause === 'signal' || cause === 'file') {
      rateLimiter.retryNow();
      this.#planner.retryObservation();
    }
    const planned = await this.#planner.plan({ desired, cause, reconcileId, retryNow: retriesRejected });
    this.#awaitedId = planned.kind === 'planned' ? null : reconcileId;
    if (planned.kind === 'required') this.#queue.set([], { retriesRejected, isContinuation });
    if (planned.kind !== 'planned') return false;
    const { plan } = planned;
    this.#planDurationMs = clock.monotonicMs() - startedAtMs;
    this.#progress.begin(plan, reconcileId, startedAtMs);
    const keys = this.#progress.keysOf(plan, retriesRejected);
    const queued = sortByBatch(plan.changes, desired.gateway.batchSize)
      .filter(({ key }) => keys.has(key))
      .map((change) => ({ key: change.key, fingerprint: fingerprintOf(change) }));
    this.#queue.set(queued, { retriesRejected, retriesAll: cause === 'signal', isContinuation });
    return true;
  }

  /** Whether no change is queued or in flight and none will be retried without a new file or a trigger. */
  get isIdle(): boolean {
    const { isIdle, hasScheduledRetry } = this.#queue;
    return this.#recovery.hasGivenUp || (isIdle && !hasScheduledRetry && !this.#planner.isWaiting);
  }

  /** Sends nothing more, waits until the calls in flight are finished and recorded, and returns the number of unsent changes that have not failed. */
  async stop(): Promise<number> {
    const unsent = this.#queue.queued.filter((key) => !this.#progress.isFailing(key)).length;
    this.#stopping.abort();
    this.#queue.resume();
    await this.#queue.stop();
    await this.#planner.stop();
    this.#recovery[Symbol.dispose]();
    this.#deps.rateLimiter.close();
    await this.#statusReporter.close();
    this.#finishReconciliation();
    return unsent;
  }

  /** Requests a new plan soon, because a finished change, an approval or a freeze has changed which changes may be made. */
  #requestReplan(): void {
    if (this.#stopping.signal.aborted) return;
    this.#isReplanRequested = true;
    this.#deps.triggers.trigger('rollout', Math.max(minReplanDelayMs, this.#planDurationMs / maxPlanningShare));
  }

  async #reconcileKey(key: PublicationKey, failures: number, onAnswered: () => void): Promise<TriedResult> {
    const { emit } = this.#deps;
    const { reconcileId } = this.#progress;
    if (reconcileId === null || this.#stopping.signal.aborted) return { kind: 'done' };
    try {
      const reconciled = await reconcile({ key, reconcileId, onAnswered }, this.#reconcilerDeps);
      const result = resultOf(reconciled, failures + 1, this.#deps);
      const rejection = authFailure(reconciled);
      if (rejection) this.#recovery.onUnauthorized(rejection);
      if (this.#progress.record(key, reconciled, result)) this.#requestReplan();
      if (!('change' in reconciled)) return result;
      const { change } = reconciled;
      if (result.kind === 'again')
        emit({ type: 'retry:scheduled', reconcileId, change, afterMs: result.afterMs, reason: retryReason(reconciled) });
      return { ...result, fingerprint: fingerprintOf(change) };
    } catch (error) {
      this.#progress.recordFailure(key);
      this.#onStoreError(error);
      return requeueWithBackoff(failures + 1, this.#deps);
    }
  }

  #onPaused(): void {
    this.#queue.pause();
    this.#statusReporter.update();
  }

  #onResumed(retriesNow: boolean): void {
    this.#statusReporter.update();
    this.#queue.resume();
    if (!retriesNow) return;
    this.#queue.retryNow();
    if (this.#planner.retryObservation()) this.#deps.triggers.trigger('observed');
  }

  #onStoreError(error: unknown): void {
    if (!(error instanceof EdictError)) throw error;
    // The drift detector emits failed observations, and the session emits a lost lease.
    if (!(error instanceof ObservationFailedError || error instanceof LeaseHeldError))
      this.#deps.emit({ type: 'store:error', reconcileId: this.#progress.reconcileId ?? '', message: error.message });
  }

  /** Called when nothing is queued or in flight. Finished changes may let deferred ones proceed, so a requested plan is computed first. */
  #finishReconciliation(): void {
    const { triggers, emit, clock } = this.#deps;
    if (!this.#stopping.signal.aborted && this.#isReplanRequested) {
      triggers.trigger('rollout');
      return;
    }
    if (!this.#stopping.signal.aborted && this.#progress.isPlanOutdated()) {
      this.#requestReplan();
      return;
    }
    const ended = this.#progress.end(this.#planner.failedProbes.length, clock.monotonicMs());
    if (ended) emit({ type: 'reconcile:finished', ...ended });
    triggers.wake();
  }
}

/** Returns a text that differs when the file declares another change. A key whose fingerprint differs is tried without its backoff. */
function fingerprintOf({ action, revision, version, remark }: Change): string {
  return `${action} ${revision} ${version} ${remark}`;
}
