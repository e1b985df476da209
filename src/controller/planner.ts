import type { Gateway, Probe } from '../gateway/interface.ts';
import type { PreviousState } from '../model/approval.ts';
import type { Change, Plan, ProbeResult, ProbeResults } from '../model/change.ts';
import type { Clock } from '../model/clock.ts';
import type { DesiredState } from '../model/desired-state.ts';
import type { Emit, TriggerCause } from '../model/events.ts';
import type { Unobserved } from '../model/observation.ts';
import type { Failure } from '../model/outcome.ts';
import type { PublicationKey } from '../model/publication.ts';
import type { RecordedPublication, RecordedState } from '../model/recorded-state.ts';
import { PlanChangedError, StalePlanError } from '../model/saved-plan-diff.ts';
import type { RefreshMode } from '../model/settings.ts';
import { isRevisionAssumed, nextDueAtMs } from '../plan/diff.ts';
import { desiredDigest } from '../plan/digest.ts';
import { computePlan } from '../plan/planner.ts';
import { gatewayApproval, gatewayHold, unlookedKeys, unobservedByChoice, unseenPublications } from '../plan/policies.ts';
import type { SavedPlan } from '../plan/saved-plan.ts';
import { isSamePlan } from '../plan/saved-plan-check.ts';
import type { Targets } from '../plan/targets.ts';
import type { Store } from '../store/interface.ts';
import { AllowedChanges } from './allowed-changes.ts';
import { DriftDetector, type ObservationEnded } from './observe/drift-detector.ts';
import { HealthChecks } from './observe/health-checks.ts';
import { withReadRetries } from './retry.ts';
import type { RunnerTriggers } from './triggers/runner-triggers.ts';
import { WallClockTimer } from './triggers/wall-clock-timer.ts';

export interface PlannerDeps {
  readonly store: Store;
  readonly gateway: Gateway;
  readonly probe: Probe;
  readonly clock: Clock;
  readonly random: () => number;
  readonly emit: Emit;
  /** Consecutive tries of one change. If finite, the process ends after its calls: it does not observe at intervals. */
  readonly maxTries: number;
  /** Whether the first plan needs an observation. */
  readonly refresh: RefreshMode;
  /** Whether the gateway is an emulated one, where nothing is online that the record does not have. */
  readonly isEmulated: boolean;
  readonly targets: Targets;
  readonly saved: SavedPlan | null;
  readonly triggers: RunnerTriggers;
  readonly signal: AbortSignal;
  /** Returns whether the gateway rejects the credentials. */
  readonly isUnauthorized: () => boolean;
  /** Called when the gateway has rejected the credentials. */
  readonly onUnauthorized: (failure: Failure) => void;
  /** Called when another plan would allow more, or less, than the newest one. */
  readonly onOutdated: () => void;
  /** Called with an error of a write that the next plan repeats. */
  readonly onStoreError: (error: unknown) => void;
}

/** Resolves in the next turn of the event loop. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** A request for a plan. */
export interface PlanRequest {
  readonly desired: DesiredState;
  readonly cause: TriggerCause;
  readonly reconcileId: string;
  /** Whether to run probes now that are in backoff or have used up their tries. */
  readonly retryNow: boolean;
}

/**
 * A new plan, or `required` or `awaited` while an observation is in progress. `required`: no plan may be computed without it, and the
 * changes of the newest plan must not be made either; `awaited`: the newest plan stays in force until the observation has ended.
 */
export type Planned = { readonly kind: 'planned'; readonly plan: Plan } | { readonly kind: 'required' | 'awaited' };

/**
 * Observes the gateway if that is due, computes the plan, and knows which of its changes may be made now. It triggers another reconciliation
 * when an observation, a probe, an approval, a freeze or a soak time changes the plan.
 */
export class Planner {
  readonly #deps: PlannerDeps;
  readonly #driftDetector: DriftDetector;
  readonly #healthChecks: HealthChecks;
  readonly #dueTimer: WallClockTimer;
  readonly #allowedChanges: AllowedChanges;
  #desired: DesiredState;
  /** The desired state that the store last saved as declared. */
  #declared: DesiredState | null = null;
  #hasPlanned = false;

  constructor(desired: DesiredState, deps: PlannerDeps) {
    const { clock, triggers, maxTries, onOutdated } = deps;
    this.#deps = deps;
    this.#desired = desired;
    this.#healthChecks = new HealthChecks({ ...deps, onResult: onOutdated });
    const observesAgain = maxTries === Number.POSITIVE_INFINITY;
    this.#driftDetector = new DriftDetector({
      ...deps,
      gateway: observesAgain ? deps.gateway : withReadRetries(deps.gateway, deps),
      observesAgain,
      onEnded: (ended) => this.#onObservationEnded(ended),
    });
    this.#allowedChanges = new AllowedChanges({ ...deps, desired: () => this.#desired, onExpired: onOutdated });
    this.#dueTimer = new WallClockTimer(clock, () => triggers.trigger('timer'));
  }

  /** The newest valid desired state. */
  get desired(): DesiredState {
    return this.#desired;
  }

  /** Whether an observation or a probe is in progress that may change the plan. */
  get isWaiting(): boolean {
    return this.#healthChecks.isRunning || this.#driftDetector.isRunning;
  }

  /** Makes an observation that has failed due now. Returns whether there is one. */
  retryObservation(): boolean {
    return this.#driftDetector.retryNow();
  }

  /** The failed probes. */
  get failedProbes(): readonly ProbeResult[] {
    return this.#healthChecks.failed;
  }

  /** Returns the change allowed now for the publication of `change`; see `AllowedChanges.get`. */
  allowed(change: Change, recorded: RecordedPublication | undefined): Change | null {
    return this.#allowedChanges.get(change, recorded);
  }

  /**
   * Computes a plan from the whole desired and recorded state; never waits for the gateway. When an observation has ended, `observed` is
   * triggered.
   *
   * @throws EdictError `STORE_*` if the recorded state cannot be read, `SAVED_PLAN_STALE` as `planReconciliation` does
   */
  async plan({ desired, cause, reconcileId, retryNow }: PlanRequest): Promise<Planned> {
    this.#desired = desired;
    const request = { desired, cause, reconcileId, retryNow };
    if (await this.#isHeldGateway(desired)) return { kind: 'planned', plan: await this.#compute(request) };
    const observation = await this.#driftDetector.start(desired, reconcileId);
    if (observation === 'required') return { kind: 'required' };
    if (observation === 'running' && cause === 'resync') return { kind: 'awaited' };
    return { kind: 'planned', plan: await this.#compute(request) };
  }

  async #compute({ desired, cause, reconcileId, retryNow }: PlanRequest): Promise<Plan> {
    const { emit, maxTries } = this.#deps;
    const { plan, ...states } = await planReconciliation(() => this.#desired, !this.#hasPlanned, {
      ...this.#deps,
      probes: this.#healthChecks.results,
      unobserved: this.#driftDetector.unobserved,
    });
    this.#hasPlanned = true;
    this.#allowedChanges.setPlan(plan);
    // With 100,000 publications each of these steps takes up to 100 ms, during which nothing else happens: no health check, no lease renewal.
    await nextTurn();
    if (!plan.fileHeld) await this.#saveDeclared(desired, plan, states);
    await nextTurn();
    emit({ type: 'plan:computed', reconcileId, cause, plan, recorded: states.recorded });
    this.#healthChecks.setPlan(plan, { retryNow });
    if (maxTries === Number.POSITIVE_INFINITY) this.#dueTimer.schedule(nextDueAtMs(plan));
    return plan;
  }

  /**
   * Returns whether nobody has approved the gateway yet, so that it must not be observed either. Saves an approval, and that a move was
   * reverted.
   */
  async #isHeldGateway({ gateway }: DesiredState): Promise<boolean> {
    const { store, clock, isEmulated } = this.#deps;
    // The state of earlier files is long, and every plan comes through here.
    if (isEmulated || ((await store.gatewayMove(gateway))?.isApproved ?? true)) return false;
    const nowMs = clock.now();
    const previous = await store.previousState(gateway, nowMs);
    if (gatewayHold(gateway, previous, nowMs)) return true;
    const approval = gatewayApproval(gateway, previous, nowMs);
    if (approval) await store.acceptAddress(gateway);
    await store.endMove(gateway, approval?.id ?? null);
    return false;
  }

  /** Ends what is in progress; resolves when it has ended. */
  async stop(): Promise<void> {
    this.#dueTimer.schedule(null);
    await this.#driftDetector.stop();
    await this.#healthChecks.stop();
  }

  #onObservationEnded({ error, unauthorized }: ObservationEnded): void {
    const { triggers, maxTries, onUnauthorized } = this.#deps;
    if (error !== null && maxTries < Number.POSITIVE_INFINITY) {
      triggers.fail(error);
      return;
    }
    if (unauthorized) onUnauthorized(unauthorized);
    triggers.trigger('observed', error === null ? 0 : (this.#driftDetector.retryAfterMs ?? 0));
  }

  /** Reports a store error and continues: the write is repeated with the next plan, and no attempt can begin while the store fails. */
  async #saveDeclared(
    desired: DesiredState,
    { approval }: Plan,
    { previous: { declared }, recorded, endsFirstContact }: Omit<PlannerResult, 'plan'>,
  ): Promise<void> {
    if (desired === this.#declared && approval === null && !endsFirstContact) return;
    try {
      const sourceFiles = new Map([...desired.publications.values()].map(({ key, sourceFile }) => [key, sourceFile]));
      await this.#deps.store.saveDeclared(desired.gateway, {
        sourceFiles,
        adoptedRevisions: adoptedRevisions(desired, recorded, declared),
        digest: desiredDigest(desired),
        approvalId: approval?.id ?? null,
        endsFirstContact,
      });
      if (!this.#deps.isEmulated) await this.#deps.store.acceptAddress(desired.gateway);
      this.#declared = desired;
    } catch (error) {
      this.#deps.onStoreError(error);
    }
  }
}

/** Returns the revisions that publications get with the first file that declares them and is applied, where others were assumed. */
function adoptedRevisions(
  { publications }: DesiredState,
  recorded: RecordedState,
  applied: PreviousState['declared'],
): ReadonlyMap<PublicationKey, string | null> {
  const revisions = new Map<PublicationKey, string | null>();
  for (const { key, revision, version } of publications.values()) {
    if (applied.has(key)) continue;
    const known = recorded.get(key);
    const isOther = known !== undefined && known.revision !== revision && version === null;
    if (isOther && isRevisionAssumed(known)) revisions.set(key, revision);
  }
  return revisions;
}

export interface PlanReconciliationDeps {
  readonly store: Pick<Store, 'readRecordedState' | 'previousState' | 'lastAttempts' | 'lastObservation'>;
  readonly clock: Pick<Clock, 'now'>;
  readonly targets: Targets;
  /** The saved plan that limits the changes; `null` allows every needed change. */
  readonly saved: SavedPlan | null;
  /** The latest probe results. */
  readonly probes: ProbeResults;
  readonly refresh: RefreshMode;
  readonly isEmulated: boolean;
  /** Why an observation failed that the plan needs; `null` if none did. */
  readonly unobserved: Unobserved | null;
}

/** The plan of a reconciliation, the recorded state it was computed from, and the state of earlier files. */
export interface PlannerResult {
  readonly plan: Plan;
  readonly recorded: RecordedState;
  readonly previous: PreviousState;
  /** Whether first contact was not over yet, and has looked up all that is new. */
  readonly endsFirstContact: boolean;
}

/**
 * Computes the plan of a reconciliation from the recorded state and the newest valid desired state, which `newest` returns.
 *
 * @throws StalePlanError in the first reconciliation, if a precondition of a saved change no longer holds; later reconciliations leave
 * such a change out. EdictError `STORE_*` if the recorded state cannot be read
 */
export async function planReconciliation(
  newest: () => DesiredState,
  isFirst: boolean,
  deps: PlanReconciliationDeps,
): Promise<PlannerResult> {
  const { store, clock, targets, saved, probes, refresh, isEmulated } = deps;
  const { gateway } = newest();
  const recorded = await store.readRecordedState(gateway);
  const previous = await store.previousState(gateway, clock.now());
  const savedInput = saved && { saved, lastAttempts: await store.lastAttempts(gateway) };
  const observation = await store.lastObservation(gateway);
  const observedAtMs = observation?.observedAtMs ?? null;
  // Reading SQLite and planning each take long for a large file.
  await nextTurn();
  const nowMs = clock.now();
  const desired = newest();
  const isChosen = refresh === 'never' || desired.refreshIntervalMs === null;
  const hasUnseen = isChosen && unseenPublications({ desired, recorded, observation, age: 'fresh' }).length > 0;
  const unobserved = deps.unobserved ?? unobservedByChoice({ desired, observedAtMs, nowMs, refresh, isEmulated, hasUnseen });
  const plan = computePlan({
    ...{ desired, recorded, previous, targets, nowMs, probes, observation, isEmulated, unobserved },
    savedPlanInput: savedInput,
  });
  if (isFirst && saved) assertNotStale(plan, saved);
  const isFirstContact = (observation?.lookedUp ?? null) !== null;
  return { plan, recorded, previous, endsFirstContact: isFirstContact && unlookedKeys({ desired, recorded, observation }).size === 0 };
}

/** Throws a StalePlanError if `plan`, restricted to the saved plan, found a stale change; a PlanChangedError if it differs from a confirmed one. */
export function assertNotStale(plan: Plan, saved: SavedPlan): void {
  const { savedPlanDiff } = plan;
  if (saved.isConfirmed) {
    if (!isSamePlan(plan, saved)) throw new PlanChangedError();
    return;
  }
  if (savedPlanDiff && savedPlanDiff.staleChanges.length > 0) throw new StalePlanError(savedPlanDiff.staleChanges, saved.changes.size);
}
