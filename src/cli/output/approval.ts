import type { ApprovedPlan } from '../../app/apply.ts';
import { toJson } from '../../model/visible.ts';
import { estimateCost } from '../../plan/estimate.ts';
import { hasTargets } from '../../plan/targets.ts';
import { formatDurationMs, formatReason, formatTimestamp, pluralize } from '../../render/format.ts';
import { type Colorize, formatTable, joinLines } from './terminal.ts';

/** Returns a recorded approval, with the changes that it releases. `applyCommand` makes them. */
export function renderApproval(
  approved: ApprovedPlan,
  format: 'text' | 'json',
  { applyCommand, paint }: { readonly applyCommand: string; readonly paint: Colorize },
): string {
  return format === 'json' ? `${toJson(approvedPlanJson(approved), 2)}\n` : approvalText(approved, applyCommand, paint);
}

function approvalText({ approval, plan, desired }: ApprovedPlan, applyCommand: string, paint: Colorize): string {
  const held = plan.changes.filter((change) => change.held);
  const until = `until ${formatTimestamp(approval.expiresAtMs)}`;
  const subject = held.length > 0 ? pluralize(held.length, 'change') : 'the file';
  const rows = held.map((change) => [
    `${paint(change.action === 'online' ? 'green' : 'red', `${change.action === 'online' ? '+' : '-'} ${change.action}`)} ${change.api}`,
    change.environment,
    formatReason(change),
  ]);
  const released = held.map((change) => ({ ...change, held: null }));
  const { calls, seconds } = estimateCost(released, desired.gateway);
  const isTooSlow = approval.approvedAtMs + seconds * 1000 > approval.expiresAtMs;
  const slowWarning = `${pluralize(calls, 'call')} take about ${formatDurationMs(seconds * 1000)} at the rate limit: longer than the approval is valid.`;
  return `${joinLines([
    `${paint('bold', `Approved ${until}:`)} ${subject}, by ${approval.by}: ${approval.reason}`,
    ...formatTable(rows).map((line) => `  ${line}`),
    ...(isTooSlow ? [paint('yellow', slowWarning)] : []),
    !hasTargets(plan.targets)
      ? `A running daemon continues automatically. Without one: ${applyCommand}`
      : `To apply it: ${applyCommand} (a running daemon waits until everything that it holds is approved together)`,
  ])}\n`;
}

function approvedPlanJson({ approval, plan }: ApprovedPlan) {
  return {
    format: 1,
    digest: approval.digest,
    by: approval.by,
    reason: approval.reason,
    approvedAt: formatTimestamp(approval.approvedAtMs),
    expiresAt: formatTimestamp(approval.expiresAtMs),
    changes: plan.changes
      .filter((change) => change.held)
      .map(({ api, apiId, environment, environmentId, action, reason }) => ({ api, apiId, environment, environmentId, action, reason })),
  };
}
