import type { Change, Plan } from '../../model/change.ts';
import type { Commit, CommitLookup, DesiredState } from '../../model/publication.ts';
import { countChanges } from '../../plan/change-counts.ts';
import { type Cost, estimateCost, suggestedBatchSize } from '../../plan/estimate.ts';
import { formatDurationMs, formatTimestamp, pluralize } from '../../render/format.ts';
import { truncateMiddle } from './markdown.ts';

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

/** The most characters that are shown of a name. */
const maxNameLength = 60;

/** Returns who has committed a line, and when, in one line: `3f9a1c0b7d Ada 2026-11-20`; empty if it is not known. */
export function formatCommit(commit: Commit | null): string {
  if (commit === null) return '';
  if (commit.kind === 'uncommitted') return 'not committed yet';
  return [commit.id.slice(0, 10), formatAuthor(commit.author), formatTimestamp(commit.atMs).slice(0, 10)].filter(Boolean).join(' ');
}

/** Anybody can call himself anything, and a terminal obeys what it is shown. */
function formatAuthor(author: string): string {
  return truncateMiddle(author.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ').trim(), maxNameLength);
}

/** Returns the commit of the line that asks for a change, in words; empty if nobody asked, or it is not known. */
export function formatChangeCommit({ source }: Pick<Change, 'source'>, commits: CommitLookup | undefined): string {
  return commits && source ? formatCommit(commits(source)) : '';
}
