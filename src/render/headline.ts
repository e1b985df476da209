import type { Plan } from '../model/change.ts';
import type { ReconcileSummary } from '../model/events.ts';
import type { PlanSummary } from '../plan/summary.ts';
import { hasTargets } from '../plan/targets.ts';
import { formatTimestamp, pluralize } from './format.ts';

/** The counted groups, in the order of the attention that they need. */
const phrases: readonly (readonly [keyof PlanSummary, string])[] = [
  ['failed', 'failed'],
  ['held', 'held'],
  ['drifted', 'drifted'],
  ['unknown', 'unknown'],
  ['online', 'going online'],
  ['offline', 'going offline'],
  ['deferred', 'deferred'],
  ['settling', 'settling'],
  ['unmanaged', 'unmanaged'],
];

/** The names of all counts of a plan. */
export const planStates: readonly (keyof PlanSummary)[] = [...phrases.map(([state]) => state), 'unchanged', 'excluded'];

/** Returns everything that is not simply unchanged, with its count: `3 drifted, 2 unmanaged`; empty if there is nothing. */
export function formatCounts(summary: PlanSummary): string {
  return phrases.flatMap(([state, words]) => (summary[state] > 0 ? [`${summary[state]} ${words}`] : [])).join(', ');
}

/** The counted groups of a result besides changes made and unchanged publications, in the order in which they are named. */
const resultPhrases: readonly (readonly [keyof ReconcileSummary, string])[] = [
  ['held', 'held'],
  ['deferred', 'deferred'],
  ['failed', 'failed'],
  ['unknown', 'with unknown outcome'],
  ['unsent', 'not sent'],
  ['drifted', 'drifted'],
  ['settling', 'settling'],
  ['unmanaged', 'unmanaged'],
  ['failedProbes', 'with failed probe'],
];

/** Returns the counts of a reconciliation: `2 online, 0 offline, 61 unchanged, 1 held`. */
export function formatResultCounts(summary: Omit<ReconcileSummary, 'durationMs'>): string {
  const others = resultPhrases.flatMap(([state, words]) => {
    const count = summary[state as keyof typeof summary];
    return count > 0 ? [`${count} ${words}`] : [];
  });
  return [`${summary.online} online`, `${summary.offline} offline`, `${summary.unchanged} unchanged`, ...others].join(', ');
}

/** Returns whether anything differs from the file, or is in the course of it. Unmanaged publications are no difference. */
export function isDifferent({ failed, held, drifted, unknown, online, offline, deferred }: PlanSummary): boolean {
  return failed + held + drifted + unknown + online + offline + deferred > 0;
}

/** Returns the one sentence that tells how a gateway differs from its file; "In sync" only if that was seen at the gateway. */
export function formatHeadline(
  { lastChecked, fileHeld, targets }: Pick<Plan, 'lastChecked' | 'fileHeld' | 'targets'>,
  summary: PlanSummary,
): string {
  const { unchanged, settling, unmanaged } = summary;
  const counts = formatCounts(summary);
  const since = formatUnchecked({ lastChecked });
  const unchecked = since === null ? '' : `; ${since}`;
  if (fileHeld) return `The whole file is held: ${[counts, `${unchanged} unchanged`].filter(Boolean).join(', ')}${unchecked}.`;
  const isUnseen = lastChecked.atMs === null && !lastChecked.isCurrent && summary.unknown > 0;
  if (isUnseen) return `The gateway was not checked yet: ${counts}, ${unchanged} unchanged.`;
  if (isDifferent(summary)) return `${counts}, ${unchanged} unchanged${unchecked}.`;
  const aside = unmanaged > 0 ? ` (${unmanaged} unmanaged)` : '';
  const matching = unchanged === 1 ? '1 publication matches the file' : `${pluralize(unchanged, 'publication')} match the file`;
  if (settling > 0) return `No changes; ${settling} settling, ${unchanged} unchanged${unchecked}${aside}.`;
  // Of the others nothing is said.
  if (hasTargets(targets)) return `No changes in what is selected${unchecked}${aside}. ${matching}.`;
  return lastChecked.isCurrent ? `In sync${aside}. ${matching}.` : `No changes${unchecked}${aside}. ${matching}, as far as is recorded.`;
}

/** Returns when the gateway was last observed: `last checked at T`. */
export function formatLastCheck({ atMs }: Plan['lastChecked'], formatTime: (ms: number) => string = formatTimestamp): string {
  if (atMs === null) return 'not checked yet';
  // A deleted recorded state makes every earlier observation too old.
  return atMs <= 0 ? 'not checked since a recorded state was deleted' : `last checked at ${formatTime(atMs)}`;
}

/** Returns since when the gateway was not observed: `gateway not checked since T`; `null` if that is within the file's `refresh`. */
export function formatUnchecked({ lastChecked: { atMs, isCurrent } }: Pick<Plan, 'lastChecked'>): string | null {
  if (isCurrent) return null;
  if (atMs === null) return 'gateway never checked';
  return atMs <= 0 ? 'gateway not checked since a recorded state was deleted' : `gateway not checked since ${formatTimestamp(atMs)}`;
}
