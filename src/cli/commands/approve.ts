import { type ApprovedPlan, recordApproval } from '../../app/apply.ts';
import { createAppContext } from '../../app/context.ts';
import { parseDurationOption } from '../../app/settings.ts';
import { EdictError, type ExitCode, exitCodes } from '../../model/errors.ts';
import type { Settings } from '../../model/settings.ts';
import { type ApprovalRequest, maxApprovalMs } from '../../plan/approvals.ts';
import { estimateCost } from '../../plan/estimate.ts';
import { formatDurationMs, formatReason, formatTimestamp, pluralize } from '../../render/format.ts';
import { type CliContext, colorizersFor } from '../context.ts';
import type { Colorize } from '../output/colors.ts';
import { formatTable } from '../output/table.ts';

export interface ApproveOptions {
  readonly format: string;
  readonly by: string;
  readonly reason: string;
  readonly expires: string;
}

/** Approves the plan's held changes. Returns 0. Throws an EdictError `OPTION_INVALID`, and as `recordApproval` does. */
export async function approve(digest: string, settings: Settings, options: ApproveOptions, context: CliContext): Promise<ExitCode> {
  const approved = await recordApproval(createAppContext(settings, context.env), parseApprovalRequest(digest, options));
  const { out } = colorizersFor(context);
  context.stdout.write(options.format === 'json' ? `${JSON.stringify(toJson(approved), null, 2)}\n` : toText(approved, out));
  return exitCodes.done;
}

function parseApprovalRequest(digest: string, { by, reason, expires }: ApproveOptions): ApprovalRequest {
  const hex = digest.replace(/^sha256:/, '');
  if (!/^[0-9a-f]{64}$/.test(hex)) {
    throw new EdictError('OPTION_INVALID', `${digest} is not a digest`, {
      hint: 'expected sha256: and 64 hex digits, as `edict plan` shows them',
    });
  }
  for (const [option, text] of [
    ['--by', by],
    ['--reason', reason],
  ] as const) {
    if (text.trim() === '' || text.length > 1000)
      throw new EdictError('OPTION_INVALID', `${option} needs a text of up to 1,000 characters`);
  }
  const expiresAfterMs = parseDurationOption(expires, '--expires');
  if (expiresAfterMs === 0 || expiresAfterMs > maxApprovalMs) {
    throw new EdictError('OPTION_INVALID', `--expires ${expires} is out of range`, {
      hint: 'expected more than nothing and 7 days (168h) at most',
    });
  }
  return { digest: `sha256:${hex}`, by: by.trim(), reason: reason.trim(), expiresAfterMs };
}

function toText({ approval, plan, desired }: ApprovedPlan, paint: Colorize): string {
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
  const slowWarning = `${pluralize(calls, 'call')} take about ${formatDurationMs(seconds * 1000)} at the limit: longer than the approval holds.`;
  return `${[
    `${paint('bold', `Approved ${until}:`)} ${subject}, by ${approval.by}: ${approval.reason}`,
    ...formatTable(rows).map((line) => `  ${line}`),
    ...(isTooSlow ? [paint('yellow', slowWarning)] : []),
    'A daemon goes on by itself; without one, run `edict apply`.',
  ].join('\n')}\n`;
}

function toJson({ approval, plan }: ApprovedPlan) {
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
