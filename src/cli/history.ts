import type { Settings } from '../config.ts';
import { type ExitCode, exitCodes } from '../core/errors.ts';
import type { Approval } from '../core/guards.ts';
import type { Attempt } from '../core/ports.ts';
import { type HistoryReport, readHistory } from '../reports.ts';
import { approvalJson, attemptJson } from '../words/attempt-json.ts';
import { agreementInWords, counted, momentInWords } from '../words/phrases.ts';
import { columns } from './columns.ts';
import { type Context, paintersOf } from './context.ts';
import type { Paint } from './paint.ts';

export interface HistoryOptions {
  readonly format: string;
  /** At most so many attempts, newest first. */
  readonly limit: number;
}

/** Shows attempts and approvals, each newest first. Returns 0. */
export async function history(settings: Settings, { format, limit }: HistoryOptions, context: Context): Promise<ExitCode> {
  const report = await readHistory(settings, context.environment, limit);
  context.stdout.write(
    format === 'json'
      ? `${JSON.stringify({ format: 1, attempts: report.attempts.map(attemptJson), approvals: report.approvals.map(approvalJson) }, null, 2)}\n`
      : toText(report, paintersOf(context).out),
  );
  return exitCodes.done;
}

function toText({ attempts, approvals }: HistoryReport, paint: Paint): string {
  return [attemptLines(attempts, paint), ...(approvals.length > 0 ? ['', approvalLines(approvals, paint)] : []), ''].join('\n');
}

function approvalLines(approvals: readonly Approval[], paint: Paint): string {
  const head = ['approval', 'at', 'expires', 'by', 'why', 'for', 'made'].map((title) => paint('bold', title));
  const rows = approvals.map(({ id, atMs, expiresAtMs, by, why, work, done }) => [
    String(id),
    momentInWords(atMs),
    momentInWords(expiresAtMs),
    by,
    why,
    counted(work.length, 'item'),
    String(done.size),
  ]);
  return columns([head, ...rows]).join('\n');
}

function attemptLines(attempts: readonly Attempt[], paint: Paint): string {
  if (attempts.length === 0) return 'No attempts recorded.';
  const head = ['attempt', 'began', 'API', 'environment', 'action', 'why', 'outcome', 'apply', ''].map((title) => paint('bold', title));
  return columns([head, ...attempts.map((attempt) => cells(attempt, paint))]).join('\n');
}

function cells(attempt: Attempt, paint: Paint): string[] {
  const outcome = attempt.outcome ?? 'unresolved';
  const detail =
    attempt.outcome === 'succeeded'
      ? attempt.versionId
        ? `version ${attempt.versionId}`
        : ''
      : [attempt.code, attempt.message].filter(Boolean).join(' ');
  return [
    String(attempt.id),
    new Date(attempt.beganAtMs).toISOString(),
    attempt.api,
    attempt.environment,
    attempt.action,
    attempt.revision === null ? attempt.reason : `${attempt.reason} ${attempt.revision}`,
    paint(outcome === 'succeeded' ? 'green' : 'red', outcome),
    shortId(attempt.passId),
    paint(
      'dim',
      [
        detail,
        attempt.commitId === null ? '' : `commit ${attempt.commitId.slice(0, 10)}`,
        attempt.approval ? agreementInWords(attempt.approval) : '',
      ]
        .filter(Boolean)
        .join('; '),
    ),
  ];
}

/** Returns enough of the ID of an apply for a person to name it by. */
export function shortId(passId: string): string {
  return passId.slice(0, 8);
}
