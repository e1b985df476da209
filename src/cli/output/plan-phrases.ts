import type { Change, Plan } from '../../model/change.ts';
import type { Commit, CommitLookup, DesiredState } from '../../model/desired-state.ts';
import { visible } from '../../model/visible.ts';
import { type Cost, estimateCost, suggestedBatchSize } from '../../plan/estimate.ts';
import { formatDurationMs, formatRateLimit, formatTimestamp, pluralize } from '../../render/format.ts';
import { truncateMiddle } from './markdown.ts';
import { type Colorize, formatTable } from './terminal.ts';

/** Suggest batching only for plans that take longer than this, in seconds. */
const minSecondsForBatchHint = 10;

/** Returns the line that declares a change, as `edict.yaml:14`; empty if none does. */
export function formatSource({ source }: Pick<Change, 'source'>): string {
  return source ? `${source.file}:${source.line}` : '';
}

/** Returns the title of a list of held changes. No approval helps while the names of the file have no IDs. */
export function heldTitle({ fileHeld }: Pick<Plan, 'fileHeld'>): string {
  return fileHeld?.rule === 'unresolvedNames' ? 'Held' : 'Held for approval';
}

/** The title of a list of unmanaged publications. */
export const unmanagedTitle = 'Unmanaged: online at the gateway, not in the file';

/** Returns how many of a plan's unmanaged publications have just left the file; empty if none has. */
export function newlyUnmanagedAside({ newlyUnmanaged: { length } }: Pick<Plan, 'newlyUnmanaged'>): string {
  return length === 0
    ? ''
    : `; ${pluralize(length, 'publication')} ${length === 1 ? 'becomes' : 'become'} unmanaged, and stay${length === 1 ? 's' : ''} online`;
}

/** The most unmanaged publications that are listed without being asked for. */
const maxFoldedUnmanaged = 20;

/** Returns the lines that list the unmanaged publications, only the first ones unless `listsAll`; none if there are none. */
export function formatUnmanaged(plan: Pick<Plan, 'unmanaged' | 'newlyUnmanaged'>, listsAll: boolean, paint: Colorize): string[] {
  const { unmanaged } = plan;
  if (unmanaged.length === 0) return [];
  const shown = listsAll ? unmanaged : unmanaged.slice(0, maxFoldedUnmanaged);
  const rest = unmanaged.length - shown.length;
  return [
    paint('yellow', `${unmanagedTitle} (${unmanaged.length})${newlyUnmanagedAside(plan)}`),
    ...formatTable(shown.map(({ api, environment }) => [`  · ${api}`, environment])),
    ...(rest > 0 ? [paint('dim', `  … and ${rest} more; --unmanaged lists all`)] : []),
  ];
}

/** Returns the number of calls and their duration at the rate limit. */
export function formatCost(plan: Plan, { gateway }: DesiredState): string {
  const { batched, ...single } = estimateCost(plan.changes, gateway);
  const formatCallsAndTime = ({ calls, seconds }: Cost): string => `${pluralize(calls, 'call')}, about ${formatDurationMs(seconds * 1000)}`;
  const batchHint =
    batched && single.seconds > minSecondsForBatchHint
      ? ` With \`gateway.batch: ${suggestedBatchSize}\`: ${formatCallsAndTime(batched)}.`
      : '';
  return `${formatCallsAndTime(single)} at ${formatRateLimit(gateway.limit)}.${batchHint}`;
}

/** The most characters shown of an author's name. */
const maxNameLength = 60;

/** Returns the commit of a line as `3f9a1c0b7d Ada 2026-11-20`; empty if it is unknown. */
export function formatCommit(commit: Commit | null): string {
  if (commit === null) return '';
  if (commit.kind === 'uncommitted') return 'not committed yet';
  return [commit.id.slice(0, 10), truncateMiddle(visible(commit.author).trim(), maxNameLength), formatTimestamp(commit.atMs).slice(0, 10)]
    .filter(Boolean)
    .join(' ');
}

/** Returns the commit of the line that declares a change; empty if no line does, or the commit is unknown. */
export function formatChangeCommit({ source }: Pick<Change, 'source'>, commits: CommitLookup | undefined): string {
  return commits && source ? formatCommit(commits(source)) : '';
}
