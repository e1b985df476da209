import type { PreviousState } from '../model/approval.ts';
import type { Change, Plan } from '../model/change.ts';
import type { ProbeResults } from '../model/deferral.ts';
import type { Clock, Store } from '../model/ports.ts';
import type { DesiredState, PublicationKey, RecordedPublication, RecordedState } from '../model/publication.ts';
import { StalePlanError } from '../model/saved-plan-diff.ts';
import { isActionable } from '../plan/diff.ts';
import { isFrozen } from '../plan/freeze.ts';
import { computePlan } from '../plan/planner.ts';
import type { SavedPlan } from '../plan/saved-plan.ts';
import { isStillValid } from '../plan/saved-plan-check.ts';
import type { Targets } from '../plan/targets.ts';

export interface AllowedChangesDeps {
  readonly clock: Pick<Clock, 'now'>;
  /** What alone may be done; `null`: whatever the newest plan allows. */
  readonly saved: SavedPlan | null;
  /** The newest valid desired state. */
  readonly desired: () => DesiredState;
  /** Called where what the plan allows may not be done any more, so that another plan is needed. */
  readonly onExpired: () => void;
}

/** What the newest plan allows to be done. Guards look at whole plans, so nothing else leaves. */
export class AllowedChanges {
  readonly #deps: AllowedChangesDeps;
  #changes: ReadonlyMap<PublicationKey, Change> = new Map();

  constructor(deps: AllowedChangesDeps) {
    this.#deps = deps;
  }

  /** Takes the changes that `plan` makes in place of those before. */
  setPlan(plan: Plan): void {
    this.#changes = new Map(plan.changes.filter(isActionable).map((change) => [change.key, change]));
  }

  /**
   * Returns what may be done now for the publication of `change`; `null` if nothing. Since the plan was made its approval may
   * have expired, a freeze have begun, and the record, read just now, have left what a saved plan rests on.
   */
  get({ key }: Change, recorded: RecordedPublication | undefined): Change | null {
    const { clock, saved, desired, onExpired } = this.#deps;
    const permitted = this.#changes.get(key);
    if (!permitted) return null;
    const nowMs = clock.now();
    if (nowMs >= (permitted.approval?.expiresAtMs ?? Number.POSITIVE_INFINITY) || isFrozen(permitted, desired(), nowMs)) {
      onExpired();
      return null;
    }
    const planned = saved?.changes.get(key);
    return saved && !(planned && isStillValid(planned, recorded)) ? null : permitted;
  }
}

export interface PlannerDeps {
  readonly store: Pick<Store, 'readRecordedState' | 'previousState' | 'lastAttempts'>;
  readonly clock: Pick<Clock, 'now'>;
  readonly targets: Targets;
  /** What alone may be done; `null`: whatever is needed. */
  readonly saved: SavedPlan | null;
  /** What probes were answered last. */
  readonly probes: ProbeResults;
}

/** What a pass is to do, and what was known of the files before. */
export interface PlannerResult {
  readonly plan: Plan;
  readonly recorded: RecordedState;
  readonly previous: PreviousState;
}

/**
 * Returns what a pass is to do. `seen` is the record if it has just been read, `newest` gives the newest valid desired state.
 *
 * @throws StalePlanError in the first pass, if one change of the saved plan rests on what has moved; a later pass leaves
 * that one out. EdictError `STORE_*` if the record cannot be read
 */
export async function planReconciliation(
  newest: () => DesiredState,
  seen: RecordedState | null,
  isFirst: boolean,
  { store, clock, targets, saved, probes }: PlannerDeps,
): Promise<PlannerResult> {
  const { gateway } = newest();
  const recorded = seen ?? (await store.readRecordedState(gateway));
  const previous = await store.previousState(gateway, clock.now());
  const keeping = saved && { saved, lastAttempts: await store.lastAttempts(gateway) };
  const plan = computePlan(newest(), recorded, previous, targets, clock.now(), probes, keeping);
  if (isFirst && saved) assertNotStale(plan, saved);
  return { plan, recorded, previous };
}

/** Throws a StalePlanError if a change of the saved plan that `plan` is kept to has moved. */
export function assertNotStale({ savedPlanDiff }: Plan, saved: SavedPlan): void {
  if (savedPlanDiff && savedPlanDiff.staleChanges.length > 0) throw new StalePlanError(savedPlanDiff.staleChanges, saved.changes.size);
}
