import { randomUUID } from 'node:crypto';
import type { Gateway, Probe } from '../gateway/interface.ts';
import type { Change, Plan } from '../model/change.ts';
import type { Clock } from '../model/clock.ts';
import type { RequestPause } from '../model/controller-status.ts';
import type { DesiredState } from '../model/desired-state.ts';
import { EdictError, LeaseHeldError, ObservationFailedError } from '../model/errors.ts';
import type { Emit, TriggerCause } from '../model/events.ts';
import type { Failure } from '../model/outcome.ts';
import { apiIdOf, type PublicationKey } from '../model/publication.ts';
import { sortByBatch } from '../plan/batch.ts';
import { isActionable, nextDueAtMs } from '../plan/diff.ts';
import { desiredDigest } from '../plan/digest.ts';
import { approvalDigest } from '../plan/policies.ts';
import type { SavedPlan } from '../plan/saved-plan.ts';
import type { Targets } from '../plan/targets.ts';
import type { Store } from '../store/interface.ts';
import type { RateLimiter } from './limit/rate-limiter.ts';
import { pollDuringOutage, resumeOnNewCredentials } from './limit/recovery.ts';
import { DriftDetector } from './observe/drift-detector.ts';
import { HealthChecks } from './observe/health-checks.ts';
import { AllowedChanges, planReconciliation } from './planner.ts';
import { Batcher } from './queue/batcher.ts';
import { type TriedResult, Workqueue } from './queue/workqueue.ts';
import { reconcile, retryReason } from './reconciler.ts';
import { continueRun, type Reconciliation, startRun, summarizeRun } from './reconciliation.ts';
import { authFailure, requeueWithBackoff, resultOf } from './result.ts';
import { retryWrite } from './retry.ts';
import { StatusReporter } from './status-reporter.ts';
import { ApprovalTrigger } from './triggers/approval-trigger.ts';
import { WallClockTimer } from './triggers/wall-clock-timer.ts';
import { UnknownOutcomes } from './unknown-outcomes.ts';

/** How the runner asks for its next reconciliation. It never computes a plan on its own. */
export interface RunnerTriggers {
  /** Requests a reconciliation after `afterMs` milliseconds at the latest; default: now. */
  readonly trigger: (cause: TriggerCause, afterMs?: number) => void;
  /** Something has ended, after which nothing may be left to do. */
  readonly wake: () => void;
  /** No plan can be computed. Only called if `maxTries` is finite. */
  readonly fail: (error: Error) => void;
}

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
  /** Whether the first reconciliation observes the gateway even if the file does not ask for it. */
  readonly refresh: boolean;
  /** The changes to make calls for; all others are planned and excluded. */
  readonly targets: Targets;
  /** The saved plan whose changes alone are made, unless they are stale; `null` allows every needed change. */
  readonly saved: SavedPlan | null;
  readonly triggers: RunnerTriggers;
}

/** The shortest delay before a plan that a finished change has made necessary, in milliseconds, so that it covers several of them. */
const minReplanDelayMs = 50;

/** The largest share of time spent on such plans: a plan of many publications is slow. */
const maxPlanningShare = 1 / 5;

/** Reconciles one gateway: compares the whole desired state with the whole recorded state and makes the missing calls. */
export class ReconcileRunner {
  readonly #deps: ReconcileRunnerDeps;
  readonly #stopping = new AbortController();
  readonly #queue: Workqueue;
  readonly #unknownOutcomes: UnknownOutcomes;
  readonly #batcher: Batcher;
  readonly #statusReporter: StatusReporter;
  readonly #driftDetector: DriftDetector;
  readonly #approvalTrigger: ApprovalTrigger;
  readonly #dueTimer: WallClockTimer;
  readonly #healthChecks: HealthChecks;
  readonly #rateLimiterSubscription: Disposable;
  readonly #allowedChanges: AllowedChanges;
  /** Keys whose last attempt by this runner did not succeed. */
  readonly #failing = new Set<PublicationKey>();
  /** Keys with an attempt of unknown outcome that is held for a person. */
  readonly #heldUnknown = new Set<PublicationKey>();
  /** Retry immediately once requests resume: the pause was an outage or refused credentials. */
  #retryNowOnResume = false;
  #hasGivenUp = false;
  /** The IDs of the APIs with a change that the rollout defers. */
  #deferredApis: ReadonlySet<string> = new Set();
  /** Keys whose earlier attempt could not be resolved and that the rollout does not allow to be repeated yet: another read would give the same result. */
  readonly #unresolvable = new Set<PublicationKey>();
  /** Keys of the newest plan's changes that were not made since it was computed. */
  readonly #unmade = new Set<PublicationKey>();
  /** Keys for which a plan was computed once more because they needed no call after all. */
  readonly #replannedFor = new Set<PublicationKey>();
  #isReplanRequested = false;
  #planDurationMs = 0;
  /** The ID of a reconciliation that has started and waits for an observation. */
  #awaitedId: string | null = null;
  #hasPlanned = false;
  #desired: DesiredState;
  /** The desired state that the store last saved as declared. */
  #declared: DesiredState | null = null;
  #current: Reconciliation | null = null;

  constructor(desired: DesiredState, deps: ReconcileRunnerDeps) {
    const { clock, rateLimiter, store, emit, triggers } = deps;
    this.#deps = deps;
    this.#desired = desired;
    this.#unknownOutcomes = new UnknownOutcomes(desired.gateway, clock);
    this.#batcher = new Batcher({ gateway: deps.gateway, settings: desired.gateway, clock, signal: this.#stopping.signal });
    this.#queue = new Workqueue({
      limit: desired.gateway.limit,
      batchSize: desired.gateway.batchSize,
      clock,
      reconcile: (key, failures, answered) => this.#reconcileKey(key, failures, answered),
      onIdle: () => this.#finishReconciliation(),
      onRetryDue: () => triggers.trigger('retry'),
    });
    this.#healthChecks = new HealthChecks({ ...deps, onResult: () => this.#requestReplan() });
    const failedProbes = () => this.#healthChecks.failed;
    this.#statusReporter = new StatusReporter(desired.gateway, { ...deps, failedProbes, onError: (error) => this.#onStoreError(error) });
    this.#driftDetector = new DriftDetector({
      store,
      gateway: deps.gateway,
      clock,
      emit,
      observeOnStart: deps.refresh,
      observesAgain: deps.maxTries === Number.POSITIVE_INFINITY,
      onEnded: (error) => this.#onObservationEnded(error),
    });
    const onApproval = () => triggers.trigger('approval');
    this.#approvalTrigger = new ApprovalTrigger({ ...deps, gateway: desired.gateway, signal: this.#stopping.signal, onApproval });
    this.#allowedChanges = new AllowedChanges({ ...deps, desired: () => this.#desired, onExpired: () => this.#requestReplan() });
    this.#dueTimer = new WallClockTimer(clock, () => triggers.trigger('timer'));
    this.#rateLimiterSubscription = rateLimiter.subscribe({ paused: (pause) => this.#onPaused(pause), resumed: () => this.#onResumed() });
  }

  /**
   * Computes a plan from the whole desired and recorded state and starts its calls; never waits for the gateway. Unsent calls of an
   * earlier reconciliation are dropped unless this plan needs them too. No plan is computed while an observation is in progress that it
   * needs; `observed` is triggered when it has ended. Resolves to whether a plan was computed.
   *
   * @throws EdictError `STORE_*` if the recorded state cannot be read, `SAVED_PLAN_STALE` as `planReconciliation` does; nothing was sent then
   */
  async reconcile(desired: DesiredState, cause: TriggerCause): Promise<boolean> {
    const { emit, clock, gateway, maxTries } = this.#deps;
    const retriesRejected = cause === 'file' || cause === 'signal' || cause === 'approval' || cause === 'requested';
    const isSequel = cause === 'rollout' || cause === 'timer' || cause === 'observed';
    const previousRun = isSequel ? this.#current : null;
    const reconcileId = previousRun?.reconcileId ?? this.#awaitedId ?? randomUUID();
    const startedAtMs = clock.monotonicMs();
    if (this.#awaitedId === null) emit({ type: 'reconcile:started', reconcileId, cause });
    this.#desired = desired;
    this.#isReplanRequested = false;
    if (cause === 'signal') gateway.retryCredentials();
    if (cause === 'signal' || cause === 'file') this.#deps.rateLimiter.retryNow();
    const observation = await this.#driftDetector.start(desired, reconcileId);
    const isAwaited = observation === 'required' || (observation === 'running' && cause === 'resync');
    this.#awaitedId = isAwaited ? reconcileId : null;
    if (observation === 'required') this.#queue.set([], { retriesRejected, isSequel });
    if (isAwaited) return false;
    const { plan, recorded, previous } = await planReconciliation(() => this.#desired, !this.#hasPlanned, {
      ...this.#deps,
      probes: this.#healthChecks.results,
      unobserved: this.#driftDetector.unobserved,
    });
    this.#hasPlanned = true;
    this.#planDurationMs = clock.monotonicMs() - startedAtMs;
    this.#allowedChanges.setPlan(plan);
    if (!plan.fileHeld) await this.#saveDeclared(desired, plan);
    emit({ type: 'plan:computed', reconcileId, cause, plan, recorded });
    this.#current = previousRun && this.#current ? continueRun(this.#current, plan) : startRun(plan, reconcileId, startedAtMs);
    const resolvable = this.#resolvableKeys(plan, retriesRejected);
    this.#unmade.clear();
    for (const change of plan.changes) if (isActionable(change)) this.#unmade.add(change.key);
    this.#healthChecks.setPlan(plan, { retryNow: retriesRejected });
    const queued = sortByBatch(plan.changes, desired.gateway.batchSize)
      .filter((change) => isActionable(change) || resolvable.has(change.key))
      .map((change) => ({ key: change.key, fingerprint: fingerprintOf(change) }));
    const planned = new Set(queued.map(({ key }) => key));
    for (const keySet of [this.#failing, this.#heldUnknown]) for (const key of keySet) if (!planned.has(key)) keySet.delete(key);
    if (maxTries === Number.POSITIVE_INFINITY) {
      this.#approvalTrigger.update(approvalDigest(plan) !== null, previous.approvals);
      this.#dueTimer.schedule(nextDueAtMs(plan));
    }
    this.#queue.set(queued, { retriesRejected, retriesAll: cause === 'signal', isSequel });
    return true;
  }

  /** Whether no change is queued or in flight and none will be retried without a new file or a trigger. */
  get isIdle(): boolean {
    const { isIdle, hasScheduledRetry } = this.#queue;
    return this.#hasGivenUp || (isIdle && !hasScheduledRetry && !this.#healthChecks.isRunning && !this.#driftDetector.isRunning);
  }

  /** Sends nothing more, waits until the calls in flight are finished and recorded, and returns the number of unsent changes that have not failed. */
  async stop(): Promise<number> {
    const unsent = this.#queue.queued.filter((key) => !this.#failing.has(key)).length;
    this.#stopping.abort();
    this.#dueTimer.schedule(null);
    this.#queue.resume();
    await this.#queue.stop();
    await this.#driftDetector.stop();
    await this.#healthChecks.stop();
    this.#rateLimiterSubscription[Symbol.dispose]();
    this.#deps.rateLimiter.close();
    await this.#statusReporter.close();
    this.#finishReconciliation();
    return unsent;
  }

  /** Returns the keys deferred by the rollout whose earlier attempt may be resolved meanwhile, because resolving it is no new rollout step. */
  #resolvableKeys({ changes }: Plan, retriesRejected: boolean): ReadonlySet<PublicationKey> {
    const deferredByRollout = changes.filter(({ deferred }) => deferred?.rule === 'rollout');
    this.#deferredApis = new Set(deferredByRollout.map(({ apiId }) => apiId));
    if (retriesRejected) this.#unresolvable.clear();
    const resolvable = deferredByRollout.filter(({ key, reason, held }) => reason === 'unknown' && !held && !this.#unresolvable.has(key));
    return new Set(resolvable.map(({ key }) => key));
  }

  /** Requests a new plan soon, because a change that others are deferred for is done, or an approval or a freeze has changed what is allowed. */
  #requestReplan(): void {
    if (this.#stopping.signal.aborted) return;
    this.#isReplanRequested = true;
    this.#deps.triggers.trigger('rollout', Math.max(minReplanDelayMs, this.#planDurationMs / maxPlanningShare));
  }

  #onObservationEnded(error: Error | null): void {
    const { triggers, maxTries } = this.#deps;
    if (error === null) triggers.trigger('observed');
    else if (maxTries < Number.POSITIVE_INFINITY) triggers.fail(error);
    else triggers.trigger('observed', this.#driftDetector.retryAfterMs ?? 0);
  }

  /** A store error is only emitted: attempts would fail to be written too and are retried, and this write is repeated by the next reconciliation. */
  async #saveDeclared(desired: DesiredState, { approval }: Plan): Promise<void> {
    if (desired === this.#declared && approval === null) return;
    try {
      const sourceFiles = new Map([...desired.publications.values()].map(({ key, sourceFile }) => [key, sourceFile]));
      await this.#deps.store.saveDeclared(desired.gateway, {
        sourceFiles,
        digest: desiredDigest(desired),
        approvalId: approval?.id ?? null,
      });
      this.#declared = desired;
    } catch (error) {
      this.#onStoreError(error);
    }
  }

  async #reconcileKey(key: PublicationKey, failures: number, onAnswered: () => void): Promise<TriedResult> {
    const { store, gateway, emit, clock } = this.#deps;
    const run = this.#current;
    if (!run || this.#stopping.signal.aborted) return { kind: 'done' };
    try {
      const reconciled = await reconcile(key, run.reconcileId, {
        store,
        gateway,
        batcher: this.#batcher,
        emit,
        onAnswered,
        settings: this.#desired.gateway,
        unknownOutcomes: this.#unknownOutcomes,
        now: clock.now,
        desired: () => this.#desired,
        allowedChange: (change, recorded) => this.#allowedChanges.get(change, recorded),
        signal: this.#stopping.signal,
        retryWrite: (write) =>
          retryWrite(write, { ...this.#deps, signal: this.#stopping.signal, onError: (error) => this.#onStoreError(error) }),
      });
      const result = resultOf(reconciled, failures + 1, this.#deps);
      const rejection = authFailure(reconciled);
      if (rejection) this.#onUnauthorized(rejection);
      if (reconciled.kind === 'attempted' && reconciled.isRecorded && reconciled.outcome.kind === 'succeeded') {
        run[reconciled.change.action] += 1;
        this.#unmade.delete(key);
      }
      if (reconciled.kind === 'deferred') this.#unresolvable.add(key);
      if (result.kind === 'done' && this.#deferredApis.has(apiIdOf(key))) this.#requestReplan();
      for (const keySet of [this.#failing, this.#heldUnknown]) keySet.delete(key);
      if (result.kind !== 'done') (reconciled.kind === 'held' ? this.#heldUnknown : this.#failing).add(key);
      if (result.kind === 'again' && 'change' in reconciled) {
        const { change } = reconciled;
        emit({ type: 'retry:scheduled', reconcileId: run.reconcileId, change, afterMs: result.afterMs, reason: retryReason(reconciled) });
      }
      return 'change' in reconciled ? { ...result, fingerprint: fingerprintOf(reconciled.change) } : result;
    } catch (error) {
      this.#failing.add(key);
      this.#onStoreError(error);
      return requeueWithBackoff(failures + 1, this.#deps);
    }
  }

  #onPaused(pause: RequestPause): void {
    this.#queue.pause();
    this.#retryNowOnResume ||= pause.reason !== 'pause';
    this.#deps.emit({ type: 'requests:paused', reason: pause.reason, message: pause.message });
    this.#statusReporter.update();
    if (pause.reason === 'outage') void this.#waitForEndOfOutage();
  }

  /** An apply ends during an outage that lasts; the daemon waits for its end. */
  async #waitForEndOfOutage(): Promise<void> {
    const hasEnded = await pollDuringOutage(this.#deps, this.#stopping.signal);
    if (!hasEnded) this.#giveUp();
  }

  #giveUp(): void {
    this.#hasGivenUp = true;
    this.#deps.triggers.wake();
  }

  #onResumed(): void {
    this.#deps.emit({ type: 'requests:resumed' });
    this.#statusReporter.update();
    this.#queue.resume();
    if (this.#retryNowOnResume) this.#queue.retryNow();
    this.#retryNowOnResume = false;
  }

  /** Makes no call until the credentials change: several consecutive failures lock a key or an account. */
  #onUnauthorized({ code, message, hint }: Failure): void {
    const { rateLimiter, maxTries } = this.#deps;
    if (rateLimiter.isPausedFor('credentials')) return;
    rateLimiter.pause('credentials', `${code} ${message}${hint ? `; ${hint}` : ''}`);
    if (maxTries < Number.POSITIVE_INFINITY) {
      this.#giveUp();
      return;
    }
    void resumeOnNewCredentials(this.#deps, this.#stopping.signal);
  }

  #onStoreError(error: unknown): void {
    if (!(error instanceof EdictError)) throw error;
    // Both are emitted elsewhere: the first by the drift detector, the second by the owner of the lease.
    if (!(error instanceof ObservationFailedError || error instanceof LeaseHeldError))
      this.#deps.emit({ type: 'store:error', reconcileId: this.#current?.reconcileId ?? '', message: error.message });
  }

  /**
   * Whether the newest plan lists changes that needed no call after all: it was computed while attempts were in flight, and would be shown,
   * and counted, until the next one. Each key leads to one more plan at most, until it is made.
   */
  #isPlanOutdated(): boolean {
    const isLeft = (key: PublicationKey): boolean => !this.#failing.has(key) && !this.#heldUnknown.has(key);
    const outdated = [...this.#unmade].filter((key) => isLeft(key) && !this.#replannedFor.has(key));
    this.#replannedFor.clear();
    for (const key of outdated) this.#replannedFor.add(key);
    return outdated.length > 0;
  }

  /** Called when nothing is queued or in flight. Finished changes may let deferred ones proceed, so a requested plan is computed first. */
  #finishReconciliation(): void {
    const { triggers, emit, clock } = this.#deps;
    if (this.#isReplanRequested && !this.#stopping.signal.aborted) {
      triggers.trigger('rollout');
      return;
    }
    if (this.#isPlanOutdated() && !this.#stopping.signal.aborted) {
      this.#requestReplan();
      return;
    }
    const run = this.#current;
    if (run) {
      this.#current = null;
      const failed = this.#failing.size + this.#healthChecks.failed.length;
      const summary = summarizeRun(run, { failed, held: this.#heldUnknown.size, nowMs: clock.monotonicMs() });
      emit({ type: 'reconcile:finished', reconcileId: run.reconcileId, summary });
    }
    triggers.wake();
  }
}

/** Returns what the file declares of a change: another one ends the backoff of its key. */
function fingerprintOf({ action, revision, version, remark }: Change): string {
  return `${action} ${revision} ${version} ${remark}`;
}
