import { guardedPlan } from './guarded-plan.ts';
import type { Past } from './guards.ts';
import type { Plan } from './plan.ts';
import type { DesiredState, RecordedState } from './publication.ts';
import { type LastAttempts, type SavedPlan, savedPlanOf } from './saved-plan.ts';
import { everything } from './targets.ts';
import { desiredBefore, type WayBack } from './undo.ts';
import type { ProbeAnswers } from './wait.ts';

/** What is known beside the file. */
export interface UndoBasis {
  readonly recorded: RecordedState;
  readonly past: Past;
  readonly attempts: LastAttempts;
  readonly probes: ProbeAnswers;
  /** In milliseconds since 1970. */
  readonly nowMs: number;
  readonly emulated: boolean;
}

/** A plan that leads back, and what the engine needs so that it makes this and nothing else. */
export interface UndoPlan {
  readonly plan: Plan;
  /** The file's desired state with what is undone in place of what it says. */
  readonly desired: DesiredState;
  readonly saved: SavedPlan;
}

/**
 * Returns the plan that takes `ways` back. A pure function. Guards, freezes and order look at the whole plan that the file would
 * have with these publications as they were before, and so hold an undo as they hold an apply; what else the file needs is not in it.
 */
export function undoPlan(file: DesiredState, ways: readonly WayBack[], basis: UndoBasis): UndoPlan {
  const { recorded, past, attempts, probes, nowMs, emulated } = basis;
  const desired = desiredBefore(file, ways);
  const whole = guardedPlan(desired, recorded, { ...past, approvals: [] }, everything, nowMs, probes);
  const own = whole.changes.filter(({ key }) => desired.undoes.has(key));
  const made = { emulated, refreshed: false, madeAtMs: nowMs };
  const saved = savedPlanOf({ ...whole, changes: own }, recorded, attempts, made);
  const kept = guardedPlan(desired, recorded, past, everything, nowMs, probes, { saved, attempts });
  const changes = kept.changes.map((change) => (file.publications.has(change.key) ? change : { ...change, source: null }));
  return { plan: { ...kept, changes, kept: null }, desired, saved };
}
