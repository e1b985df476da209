import { computePlan } from '../core/guarded-plan.ts';
import type { PreviousState } from '../core/guards.ts';
import type { Plan } from '../core/plan.ts';
import type { Clock, Store } from '../core/ports.ts';
import type { DesiredState, RecordedState } from '../core/publication.ts';
import type { SavedPlan } from '../core/saved-plan.ts';
import { StalePlanError } from '../core/stale-plan.ts';
import type { Targets } from '../core/targets.ts';
import type { ProbeResults } from '../core/wait.ts';

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
