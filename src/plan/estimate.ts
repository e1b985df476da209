import type { Change } from '../model/change.ts';
import type { GatewaySettings, RequestLimits } from '../model/publication.ts';
import { batchKey } from './batch.ts';
import { isActionable } from './diff.ts';

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
export const suggestedBatchSize = 100;

/** Returns what `changes` cost at the file's limit and batch. */
export function estimateCost(changes: readonly Change[], { limit, batchSize }: Pick<GatewaySettings, 'limit' | 'batchSize'>): Estimate {
  const made = changes.filter(isActionable);
  const cost = costOfCalls(countCalls(made, batchSize), limit);
  const batched = costOfCalls(countCalls(made, suggestedBatchSize), limit);
  return { ...cost, batched: batchSize === 1 && batched.calls < cost.calls ? batched : null };
}

function countCalls(changes: readonly Change[], batch: number): number {
  if (batch === 1) return changes.length;
  let calls = 0;
  for (const [call, { length }] of Map.groupBy(changes, batchKey)) calls += call === null ? length : Math.ceil(length / batch);
  return calls;
}

function costOfCalls(calls: number, limit: RequestLimits): Cost {
  const ms = (Math.max(0, calls - 1) * limit.perMs) / limit.calls;
  return { calls, seconds: Math.round(ms / 100) / 10 };
}
