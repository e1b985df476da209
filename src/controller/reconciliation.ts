import type { Plan } from '../model/change.ts';
import type { ReconcileSummary } from '../model/events.ts';
import { countChanges } from '../plan/change-counts.ts';

/** What one pass has done so far. */
export interface Reconciliation {
  readonly reconcileId: string;
  readonly unchanged: number;
  held: number;
  deferred: number;
  /** On the monotonic clock, in milliseconds. */
  readonly startedAtMs: number;
  online: number;
  offline: number;
}

/** Returns a pass that has just made its plan. */
export function startRun(plan: Plan, reconcileId: string, startedAtMs: number): Reconciliation {
  return continueRun({ reconcileId, startedAtMs, unchanged: plan.unchanged, held: 0, deferred: 0, online: 0, offline: 0 }, plan);
}

/** Returns `pass`, which goes on with a newer plan. */
export function continueRun(pass: Reconciliation, plan: Plan): Reconciliation {
  const { held, deferred } = countChanges(plan);
  pass.held = held;
  pass.deferred = deferred;
  return pass;
}

/** Returns what a pass did that ends at `nowMs` on the monotonic clock. `failed` and `held` are those that the plan does not know of. */
export function summarizeRun(
  pass: Reconciliation,
  { failed, held, nowMs }: { failed: number; held: number; nowMs: number },
): ReconcileSummary {
  const { online, offline, unchanged, deferred, startedAtMs } = pass;
  return { online, offline, unchanged, held: pass.held + held, deferred, failed, durationMs: Math.round(nowMs - startedAtMs) };
}
