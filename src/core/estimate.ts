import type { Change } from './plan.ts';
import type { Limit } from './publication.ts';

/** What a plan will cost. */
export interface Estimate {
  /** Calls that change the gateway: one for each change that is not held. */
  readonly calls: number;
  /** How long they take at the limit, the gateway's own time not counted. To a tenth of a second. */
  readonly seconds: number;
}

/** Returns what `changes` cost at `limit`. */
export function estimate(changes: readonly Change[], limit: Limit): Estimate {
  const calls = changes.filter((change) => change.held === null).length;
  const ms = (Math.max(0, calls - 1) * limit.perMs) / limit.calls;
  return { calls, seconds: Math.round(ms / 100) / 10 };
}
