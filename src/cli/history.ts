import type { Settings } from '../config.ts';
import { type ExitCode, exitCodes } from '../core/errors.ts';
import type { Approval } from '../core/guards.ts';
import type { Attempt } from '../core/ports.ts';
import { type HistoryReport, readHistory } from '../reports.ts';
import { approvalJson, historyAttemptJson } from '../words/attempt-json.ts';
import { formatApproval, formatTimestamp, pluralize } from '../words/phrases.ts';
import { formatTable } from './columns.ts';
import { type CliContext, colorizersFor } from './context.ts';
import type { Colorize } from './paint.ts';

export interface HistoryOptions {
  readonly format: string;
  /** At most so many attempts, newest first. */
  readonly limit: number;
}

/** Shows attempts and approvals, each newest first. Returns 0. */
export async function history(settings: Settings, { format, limit }: HistoryOptions, context: CliContext): Promise<ExitCode> {
  const report = await readHistory(settings, context.env, limit);
  context.stdout.write(
    format === 'json'
      ? `${JSON.stringify({ format: 1, attempts: report.attempts.map(historyAttemptJson), approvals: report.approvals.map(approvalJson) }, null, 2)}\n`
      : toText(report, colorizersFor(context).out),
  );
  return exitCodes.done;
}

function toText({ attempts, approvals }: HistoryReport, paint: Colorize): string {
  return [attemptLines(attempts, paint), ...(approvals.length > 0 ? ['', approvalLines(approvals, paint)] : []), ''].join('\n');
}

function approvalLines(approvals: readonly Approval[], paint: Colorize): string {
  const head = ['approval', 'at', 'expires', 'by', 'why', 'for', 'made'].map((title) => paint('bold', title));
  const rows = approvals.map(({ id, approvedAtMs, expiresAtMs, by, reason, scope, usedKeys }) => [
    String(id),
    formatTimestamp(approvedAtMs),
    formatTimestamp(expiresAtMs),
    by,
    reason,
    pluralize(scope.length, 'item'),
    String(usedKeys.size),
  ]);
  return formatTable([head, ...rows]).join('\n');
}

function attemptLines(attempts: readonly Attempt[], paint: Colorize): string {
  if (attempts.length === 0) return 'No attempts recorded.';
  const head = ['attempt', 'began', 'API', 'environment', 'action', 'why', 'outcome', 'apply', ''].map((title) => paint('bold', title));
  return formatTable([head, ...attempts.map((attempt) => attemptRow(attempt, paint))]).join('\n');
}

function attemptRow(attempt: Attempt, paint: Colorize): string[] {
  const outcome = attempt.outcome ?? 'unresolved';
  const detail =
    attempt.outcome === 'succeeded'
      ? attempt.versionId
        ? `version ${attempt.versionId}`
        : ''
      : [attempt.code, attempt.message].filter(Boolean).join(' ');
  return [
    String(attempt.id),
    new Date(attempt.startedAtMs).toISOString(),
    attempt.api,
    attempt.environment,
    attempt.action,
    attempt.revision === null ? attempt.reason : `${attempt.reason} ${attempt.revision}`,
    paint(outcome === 'succeeded' ? 'green' : 'red', outcome),
    shortReconcileId(attempt.reconcileId),
    paint(
      'dim',
      [
        detail,
        attempt.commitId === null ? '' : `commit ${attempt.commitId.slice(0, 10)}`,
        attempt.approval ? formatApproval(attempt.approval) : '',
      ]
        .filter(Boolean)
        .join('; '),
    ),
  ];
}

/** Returns enough of the ID of an apply for a person to name it by. */
export function shortReconcileId(passId: string): string {
  return passId.slice(0, 8);
}
