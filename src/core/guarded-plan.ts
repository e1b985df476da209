import { delay } from './freeze.ts';
import { holdBack, type Past, release } from './guards.ts';
import { narrow } from './narrow.ts';
import { inOrder } from './order.ts';
import { type Plan, plan } from './plan.ts';
import type { DesiredState, RecordedState } from './publication.ts';
import type { Targets } from './targets.ts';
import type { ProbeAnswers } from './wait.ts';

/**
 * Returns the plan that may be carried out: what the file needs, held back by the guards as a whole, delayed by freezes, put in order, then narrowed
 * to what is targeted, then released where a person has agreed. A pure function. Guards and order look at the whole plan, so that
 * nobody slips past them by doing it in parts.
 */
export function guardedPlan(
  desired: DesiredState,
  recorded: RecordedState,
  past: Past,
  targets: Targets,
  nowMs: number,
  probes: ProbeAnswers = new Map(),
): Plan {
  const held = holdBack(plan(desired, recorded), desired, recorded, past);
  const ordered = inOrder(delay(held, desired, nowMs), desired, recorded, probes, nowMs);
  return release(narrow(ordered, desired, targets), past.approvals, nowMs);
}
