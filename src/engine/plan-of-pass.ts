import { guardedPlan } from '../core/guarded-plan.ts';
import type { Past } from '../core/guards.ts';
import type { Plan } from '../core/plan.ts';
import type { Clock, Store } from '../core/ports.ts';
import type { DesiredState, RecordedState } from '../core/publication.ts';
import type { SavedPlan } from '../core/saved-plan.ts';
import { StalePlanError } from '../core/stale-plan.ts';
import type { Targets } from '../core/targets.ts';
import type { ProbeAnswers } from '../core/wait.ts';

export interface PlanOfPassDeps {
  readonly store: Pick<Store, 'readAll' | 'past' | 'lastAttempts'>;
  readonly clock: Pick<Clock, 'now'>;
  readonly targets: Targets;
  /** What alone may be done; `null`: whatever is needed. */
  readonly saved: SavedPlan | null;
  /** What probes were answered last. */
  readonly probes: ProbeAnswers;
}

/** What a pass is to do, and what was known of the files before. */
export interface PassPlan {
  readonly made: Plan;
  readonly recorded: RecordedState;
  readonly past: Past;
}

/**
 * Returns what a pass is to do. `seen` is the record if it has just been read, `newest` gives the newest valid desired state.
 *
 * @throws StalePlanError in the first pass, if one change of the saved plan rests on what has moved; a later pass leaves
 * that one out. EdictError `STORE_*` if the record cannot be read
 */
export async function planOfPass(
  newest: () => DesiredState,
  seen: RecordedState | null,
  isFirst: boolean,
  { store, clock, targets, saved, probes }: PlanOfPassDeps,
): Promise<PassPlan> {
  const { gateway } = newest();
  const recorded = seen ?? (await store.readAll(gateway));
  const past = await store.past(gateway, clock.now());
  const keeping = saved && { saved, attempts: await store.lastAttempts(gateway) };
  const made = guardedPlan(newest(), recorded, past, targets, clock.now(), probes, keeping);
  if (isFirst && saved) refuseStale(made, saved);
  return { made, recorded, past };
}

/** Throws a StalePlanError if a change of the saved plan that `plan` is kept to has moved. */
export function refuseStale({ kept }: Plan, saved: SavedPlan): void {
  if (kept && kept.moved.length > 0) throw new StalePlanError(kept.moved, saved.changes.size);
}
