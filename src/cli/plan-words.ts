import { type Cost, estimateCost, suggestedBatchSize } from '../core/estimate.ts';
import type { Change, Plan } from '../core/plan.ts';
import type { DesiredState } from '../core/publication.ts';
import { countChanges } from '../core/totals.ts';
import { formatDurationMs, pluralize } from '../words/phrases.ts';

/** Under so many seconds nobody minds how long it takes. */
const minSecondsForBatchHint = 10;

/** Returns where the file asks for a change, as `edict.yaml:14`; empty if it does not. */
export function formatSource({ source }: Pick<Change, 'source'>): string {
  return source ? `${source.file}:${source.line}` : '';
}

/** Returns how much is as the file says. */
export function formatUnchanged({ unchanged }: Plan): string {
  return unchanged === 1 ? '1 publication is as the file says.' : `${pluralize(unchanged, 'publication')} are as the file says.`;
}

/** Returns how many changes a plan has, of each kind. */
export function formatTotals(plan: Plan): string {
  const { online, offline, held, deferred } = countChanges(plan);
  const parts = [
    `${online} online`,
    `${offline} offline`,
    ...(held > 0 ? [`${held} held`] : []),
    ...(deferred > 0 ? [`${deferred} waiting`] : []),
    `${plan.unchanged} unchanged`,
  ];
  return `${pluralize(plan.changes.length, 'change')}: ${parts.join(', ')}.`;
}

/** Returns how many calls a plan makes and how long they take. */
export function formatCost(plan: Plan, { gateway }: DesiredState): string {
  const { batched, ...single } = estimateCost(plan.changes, gateway);
  const inWords = ({ calls, seconds }: Cost): string => `${pluralize(calls, 'call')}, about ${formatDurationMs(seconds * 1000)}`;
  const limit = `${gateway.limit.calls} per ${formatDurationMs(gateway.limit.perMs)}`;
  const saving =
    batched && single.seconds > minSecondsForBatchHint ? ` With \`gateway.batch: ${suggestedBatchSize}\`: ${inWords(batched)}.` : '';
  return `${inWords(single)} at ${limit}.${saving}`;
}
