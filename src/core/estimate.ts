import { callOf } from './batch.ts';
import { type Change, isMade } from './plan.ts';
import type { GatewaySettings, Limit } from './publication.ts';

/** What a plan will cost. */
export interface Estimate extends Cost {
  /** What it would cost with `gateway.batch: 100`; `null` if that saves nothing, or the file batches already. */
  readonly batched: Cost | null;
}

export interface Cost {
  /** Calls that change the gateway; what is held or waits makes none. */
  readonly calls: number;
  /** How long they take at the limit, the gateway's own time not counted. To a tenth of a second. */
  readonly seconds: number;
}

/** The size that the estimate proposes: a tenth of what the service's twin is known to take. */
export const proposedBatch = 100;

/** Returns what `changes` cost at the file's limit and batch. */
export function estimate(changes: readonly Change[], { limit, batch }: Pick<GatewaySettings, 'limit' | 'batch'>): Estimate {
  const made = changes.filter(isMade);
  const cost = costOf(callsFor(made, batch), limit);
  const batched = costOf(callsFor(made, proposedBatch), limit);
  return { ...cost, batched: batch === 1 && batched.calls < cost.calls ? batched : null };
}

function callsFor(changes: readonly Change[], batch: number): number {
  if (batch === 1) return changes.length;
  let calls = 0;
  for (const [call, { length }] of Map.groupBy(changes, callOf)) calls += call === null ? length : Math.ceil(length / batch);
  return calls;
}

function costOf(calls: number, limit: Limit): Cost {
  const ms = (Math.max(0, calls - 1) * limit.perMs) / limit.calls;
  return { calls, seconds: Math.round(ms / 100) / 10 };
}
