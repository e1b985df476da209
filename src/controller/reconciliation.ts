import type { Plan } from '../model/change.ts';
import type { ReconcileSummary } from '../model/events.ts';
import { countChanges } from '../plan/change-counts.ts';

/** The progress of one reconciliation. */
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

/** Returns a reconciliation that has just computed its plan. */
export function startRun(plan: Plan, reconcileId: string, startedAtMs: number): Reconciliation {
  return continueRun({ reconcileId, startedAtMs, unchanged: plan.unchanged, held: 0, deferred: 0, online: 0, offline: 0 }, plan);
}

/** Updates `run` with the counts of a newer plan and returns it. */
export function continueRun(run: Reconciliation, plan: Plan): Reconciliation {
  const { held, deferred } = countChanges(plan);
  run.held = held;
  run.deferred = deferred;
  return run;
}

/** Returns the summary of a reconciliation that ends at `nowMs` (monotonic). `failed` and `held` count changes that the plan does not include as such. */
export function summarizeRun(
  run: Reconciliation,
  { failed, held, nowMs }: { failed: number; held: number; nowMs: number },
): ReconcileSummary {
  const { online, offline, unchanged, deferred, startedAtMs } = run;
  return { online, offline, unchanged, held: run.held + held, deferred, failed, durationMs: Math.round(nowMs - startedAtMs) };
}
