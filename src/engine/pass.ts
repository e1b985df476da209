import type { PassSummary } from '../core/events.ts';
import type { Plan } from '../core/plan.ts';
import { totalsOf } from '../core/totals.ts';

/** What one pass has done so far. */
export interface Pass {
  readonly passId: string;
  readonly unchanged: number;
  held: number;
  waiting: number;
  /** On the monotonic clock, in milliseconds. */
  readonly startedAtMs: number;
  online: number;
  offline: number;
}

/** Returns a pass that has just made its plan. */
export function openPass(plan: Plan, passId: string, startedAtMs: number): Pass {
  return goOn({ passId, startedAtMs, unchanged: plan.unchanged, held: 0, waiting: 0, online: 0, offline: 0 }, plan);
}

/** Returns `pass`, which goes on with a newer plan. */
export function goOn(pass: Pass, plan: Plan): Pass {
  const { held, waiting } = totalsOf(plan);
  pass.held = held;
  pass.waiting = waiting;
  return pass;
}

/** Returns what a pass did that ends at `nowMs` on the monotonic clock. `failed` and `held` are those that the plan does not know of. */
export function summaryOf(pass: Pass, { failed, held, nowMs }: { failed: number; held: number; nowMs: number }): PassSummary {
  const { online, offline, unchanged, waiting, startedAtMs } = pass;
  return { online, offline, unchanged, held: pass.held + held, waiting, failed, tookMs: Math.round(nowMs - startedAtMs) };
}
