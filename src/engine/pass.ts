import type { PassSummary } from '../core/events.ts';
import type { Plan } from '../core/plan.ts';

/** What one pass has done so far. */
export interface Pass extends Pick<PassSummary, 'unchanged' | 'held' | 'waiting'> {
  readonly passId: string;
  /** On the monotonic clock, in milliseconds. */
  readonly startedAtMs: number;
  online: number;
  offline: number;
}

/** Returns a pass that has just made its plan. */
export function openPass({ changes, unchanged }: Plan, passId: string, startedAtMs: number): Pass {
  const held = changes.filter((change) => change.held).length;
  return {
    passId,
    startedAtMs,
    unchanged,
    held,
    waiting: changes.filter((change) => change.waits && !change.held).length,
    online: 0,
    offline: 0,
  };
}

/** Returns when the first change is due that waits for the clock; `null` if none does. */
export function firstDueMs({ changes }: Plan): number | null {
  const dueMs = changes.flatMap(({ held, waits }) => (held || waits?.untilMs == null ? [] : [waits.untilMs]));
  return dueMs.length === 0 ? null : dueMs.reduce((first, ms) => Math.min(first, ms));
}
