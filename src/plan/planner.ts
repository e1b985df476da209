import type { PreviousState } from '../model/approval.ts';
import type { Plan } from '../model/change.ts';
import type { ProbeResults } from '../model/deferral.ts';
import type { DesiredState, RecordedState, Suspension } from '../model/publication.ts';
import { diffStates } from './diff.ts';
import { applyFreezes } from './freeze.ts';
import { applyApprovals, applyPolicies } from './policies.ts';
import { applyRollout } from './rollout.ts';
import type { LastAttempts, SavedPlan } from './saved-plan.ts';
import { excludeNewlyHeld, restrictToSaved } from './saved-plan-check.ts';
import { filterPlan, type Targets } from './targets.ts';

/** A saved plan that is to be carried out, and the newest attempt of each publication. */
export interface SavedPlanInput {
  readonly saved: SavedPlan;
  readonly lastAttempts: LastAttempts;
}

/**
 * Returns the plan that may be carried out: what the file needs, held back by the guards as a whole, delayed by freezes, put in
 * order, then narrowed to what is targeted and to a saved plan if there is one, then released where a person has agreed. A pure
 * function. Guards and order look at the whole plan, so that nobody slips past them by doing it in parts.
 */
export function computePlan(
  desired: DesiredState,
  recorded: RecordedState,
  past: PreviousState,
  targets: Targets,
  nowMs: number,
  probes: ProbeResults = new Map(),
  keeping: SavedPlanInput | null = null,
): Plan {
  const suspension = isInEffect(past.suspension, nowMs) ? past.suspension : null;
  const held = applyPolicies({ ...diffStates(desired, recorded), suspension }, desired, recorded, past);
  const whole = applyRollout(
    applyFreezes(held, { ...desired, suspension: longerSuspension(desired.suspension, suspension) }, nowMs),
    desired,
    recorded,
    probes,
    nowMs,
  );
  const part = filterPlan(whole, desired, targets);
  if (!keeping) return applyApprovals(part, past.approvals, nowMs);
  const { saved, lastAttempts } = keeping;
  return excludeNewlyHeld(
    applyApprovals(restrictToSaved(part, whole, saved, { desired, recorded, lastAttempts }), past.approvals, nowMs),
    saved,
  );
}

function isInEffect(suspension: Suspension | null, nowMs: number): boolean {
  return suspension !== null && nowMs < (suspension.untilMs ?? Number.POSITIVE_INFINITY);
}

/** Returns the one of two words that holds longer. */
function longerSuspension(a: Suspension | null, b: Suspension | null): Suspension | null {
  if (a === null || b === null) return a ?? b;
  return (a.untilMs ?? Number.POSITIVE_INFINITY) >= (b.untilMs ?? Number.POSITIVE_INFINITY) ? a : b;
}
