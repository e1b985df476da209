import { type Cost, estimate, proposedBatch } from '../core/estimate.ts';
import type { Change, Plan } from '../core/plan.ts';
import type { DesiredState } from '../core/publication.ts';
import { totalsOf } from '../core/totals.ts';
import { counted, durationInWords } from '../words/phrases.ts';

/** Under so many seconds nobody minds how long it takes. */
const worthSaving = 10;

/** Returns where the file asks for a change, as `edict.yaml:14`; empty if it does not. */
export function placeInWords({ source }: Pick<Change, 'source'>): string {
  return source ? `${source.file}:${source.line}` : '';
}

/** Returns how much is as the file says. */
export function unchangedInWords({ unchanged }: Plan): string {
  return unchanged === 1 ? '1 publication is as the file says.' : `${counted(unchanged, 'publication')} are as the file says.`;
}

/** Returns how many changes a plan has, of each kind. */
export function totalsInWords(plan: Plan): string {
  const { online, offline, held, waiting } = totalsOf(plan);
  const parts = [
    `${online} online`,
    `${offline} offline`,
    ...(held > 0 ? [`${held} held`] : []),
    ...(waiting > 0 ? [`${waiting} waiting`] : []),
    `${plan.unchanged} unchanged`,
  ];
  return `${counted(plan.changes.length, 'change')}: ${parts.join(', ')}.`;
}

/** Returns how many calls a plan makes and how long they take. */
export function costInWords(plan: Plan, { gateway }: DesiredState): string {
  const { batched, ...single } = estimate(plan.changes, gateway);
  const inWords = ({ calls, seconds }: Cost): string => `${counted(calls, 'call')}, about ${durationInWords(seconds * 1000)}`;
  const limit = `${gateway.limit.calls} per ${durationInWords(gateway.limit.perMs)}`;
  const saving = batched && single.seconds > worthSaving ? ` With \`gateway.batch: ${proposedBatch}\`: ${inWords(batched)}.` : '';
  return `${inWords(single)} at ${limit}.${saving}`;
}
