import type { PreviousState } from '../model/approval.ts';
import type { Change, Plan, ProbeResults } from '../model/change.ts';
import type { Clock } from '../model/clock.ts';
import type { DesiredState } from '../model/desired-state.ts';
import type { PublicationKey } from '../model/publication.ts';
import type { RecordedPublication, RecordedState } from '../model/recorded-state.ts';
import { StalePlanError } from '../model/saved-plan-diff.ts';
import { isActionable } from '../plan/diff.ts';
import { isFrozen } from '../plan/freeze.ts';
import { computePlan } from '../plan/planner.ts';
import type { SavedPlan } from '../plan/saved-plan.ts';
import { isStillValid } from '../plan/saved-plan-check.ts';
import type { Targets } from '../plan/targets.ts';
import type { Store } from '../store/interface.ts';

export interface AllowedChangesDeps {
  readonly clock: Pick<Clock, 'now'>;
  /** The saved plan that limits the changes; `null` allows every change of the newest plan. */
  readonly saved: SavedPlan | null;
  /** The newest valid desired state. */
  readonly desired: () => DesiredState;
  /** Called when the plan no longer allows one of its changes, so that a new plan is needed. */
  readonly onExpired: () => void;
}

/** The changes that the newest plan allows. Policies are evaluated on whole plans, so no other change may be sent. */
export class AllowedChanges {
  readonly #deps: AllowedChangesDeps;
  #changes: ReadonlyMap<PublicationKey, Change> = new Map();

  constructor(deps: AllowedChangesDeps) {
    this.#deps = deps;
  }

  /** Replaces the allowed changes with those of `plan`. */
  setPlan(plan: Plan): void {
    this.#changes = new Map(plan.changes.filter(isActionable).map((change) => [change.key, change]));
  }

  /**
   * Returns the change allowed now for the publication of `change`; `null` if none. Since the plan was computed, its approval may
   * have expired, a freeze may have begun, or `recorded`, just read, may no longer match the saved plan's preconditions.
   */
  get({ key }: Change, recorded: RecordedPublication | undefined): Change | null {
    const { clock, saved, desired, onExpired } = this.#deps;
    const allowed = this.#changes.get(key);
    if (!allowed) return null;
    const nowMs = clock.now();
    if (nowMs >= (allowed.approval?.expiresAtMs ?? Number.POSITIVE_INFINITY) || isFrozen(allowed, desired(), nowMs)) {
      onExpired();
      return null;
    }
    const planned = saved?.changes.get(key);
    return saved && !(planned && isStillValid(planned, recorded)) ? null : allowed;
  }
}

export interface PlannerDeps {
  readonly store: Pick<Store, 'readRecordedState' | 'previousState' | 'lastAttempts'>;
  readonly clock: Pick<Clock, 'now'>;
  readonly targets: Targets;
  /** The saved plan that limits the changes; `null` allows every needed change. */
  readonly saved: SavedPlan | null;
  /** The latest probe results. */
  readonly probes: ProbeResults;
  /** Why the gateway could not be observed when the plan needs it; `null` if it was, or need not be. */
  readonly unobserved: string | null;
}

/** The plan of a reconciliation, the recorded state it was computed from, and the state of earlier files. */
export interface PlannerResult {
  readonly plan: Plan;
  readonly recorded: RecordedState;
  readonly previous: PreviousState;
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
  { store, clock, targets, saved, probes, unobserved }: PlannerDeps,
): Promise<PlannerResult> {
  const { gateway } = newest();
  const recorded = await store.readRecordedState(gateway);
  const previous = await store.previousState(gateway, clock.now());
  const savedInput = saved && { saved, lastAttempts: await store.lastAttempts(gateway) };
  const nowMs = clock.now();
  const plan = computePlan({ desired: newest(), recorded, previous, targets, nowMs, probes, savedPlanInput: savedInput, unobserved });
  if (isFirst && saved) assertNotStale(plan, saved);
  return { plan, recorded, previous };
}

/** Throws a StalePlanError if `plan`, restricted to the saved plan, found a stale change. */
export function assertNotStale({ savedPlanDiff }: Plan, saved: SavedPlan): void {
  if (savedPlanDiff && savedPlanDiff.staleChanges.length > 0) throw new StalePlanError(savedPlanDiff.staleChanges, saved.changes.size);
}
