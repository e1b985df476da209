import { delay } from './freeze.ts';
import { holdBack, type Past, release } from './guards.ts';
import { keepTo, withoutNewHolds } from './keep-to.ts';
import { narrow } from './narrow.ts';
import { inOrder } from './order.ts';
import { type Plan, plan } from './plan.ts';
import type { DesiredState, RecordedState, Suspension } from './publication.ts';
import type { LastAttempts, SavedPlan } from './saved-plan.ts';
import type { Targets } from './targets.ts';
import type { ProbeAnswers } from './wait.ts';

/** A saved plan that is to be carried out, and the newest attempt of each publication. */
export interface Keeping {
  readonly saved: SavedPlan;
  readonly attempts: LastAttempts;
}

/**
 * Returns the plan that may be carried out: what the file needs, held back by the guards as a whole, delayed by freezes, put in
 * order, then narrowed to what is targeted and to a saved plan if there is one, then released where a person has agreed. A pure
 * function. Guards and order look at the whole plan, so that nobody slips past them by doing it in parts.
 */
export function guardedPlan(
  desired: DesiredState,
  recorded: RecordedState,
  past: Past,
  targets: Targets,
  nowMs: number,
  probes: ProbeAnswers = new Map(),
  keeping: Keeping | null = null,
): Plan {
  const suspension = holdsAt(past.suspension, nowMs) ? past.suspension : null;
  const held = holdBack({ ...plan(desired, recorded), suspension }, desired, recorded, past);
  const whole = inOrder(
    delay(held, { ...desired, suspension: longer(desired.suspension, suspension) }, nowMs),
    desired,
    recorded,
    probes,
    nowMs,
  );
  const part = narrow(whole, desired, targets);
  if (!keeping) return release(part, past.approvals, nowMs);
  const { saved, attempts } = keeping;
  return withoutNewHolds(release(keepTo(part, whole, saved, { desired, recorded, attempts }), past.approvals, nowMs), saved);
}

function holdsAt(suspension: Suspension | null, nowMs: number): boolean {
  return suspension !== null && nowMs < (suspension.untilMs ?? Number.POSITIVE_INFINITY);
}

/** Returns the one of two words that holds longer. */
function longer(a: Suspension | null, b: Suspension | null): Suspension | null {
  if (a === null || b === null) return a ?? b;
  return (a.untilMs ?? Number.POSITIVE_INFINITY) >= (b.untilMs ?? Number.POSITIVE_INFINITY) ? a : b;
}
