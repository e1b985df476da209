import type { Change } from '../model/change.ts';
import type { GatewaySettings, RequestLimits } from '../model/gateway.ts';
import { batchKey } from './batch.ts';
import { isActionable } from './diff.ts';

/** The estimated cost of a plan. */
export interface Estimate extends Cost {
  /** The cost with `gateway.batch: 100`; `null` if that saves nothing, or the file already batches. */
  readonly batched: Cost | null;
}

export interface Cost {
  /** Calls that change the gateway. Held and deferred changes make none. */
  readonly calls: number;
  /** How long they take at the rate limit, without the gateway's response time. To a tenth of a second. */
  readonly seconds: number;
}

/** The batch size that the estimate proposes: a tenth of the known limit of the service's sister product. */
export const suggestedBatchSize = 100;

/** Returns the cost of `changes` with the file's rate limit and batch size. */
export function estimateCost(changes: readonly Change[], { limit, batchSize }: Pick<GatewaySettings, 'limit' | 'batchSize'>): Estimate {
  const actionable = changes.filter(isActionable);
  const cost = costOfCalls(countCalls(actionable, batchSize), limit);
  const batched = costOfCalls(countCalls(actionable, suggestedBatchSize), limit);
  return { ...cost, batched: batchSize === 1 && batched.calls < cost.calls ? batched : null };
}

function countCalls(changes: readonly Change[], batchSize: number): number {
  if (batchSize === 1) return changes.length;
  let calls = 0;
  for (const [call, { length }] of Map.groupBy(changes, batchKey)) calls += call === null ? length : Math.ceil(length / batchSize);
  return calls;
}

function costOfCalls(calls: number, limit: RequestLimits): Cost {
  const ms = (Math.max(0, calls - 1) * limit.perMs) / limit.calls;
  return { calls, seconds: Math.round(ms / 100) / 10 };
}
