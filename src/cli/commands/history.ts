import { createAppContext } from '../../app/context.ts';
import { type HistoryReport, readHistory, readVersions, type VersionsReport } from '../../app/reports.ts';
import type { Approval } from '../../model/approval.ts';
import { EdictError, type ExitCode, exitCodes } from '../../model/errors.ts';
import type { Attempt } from '../../model/ports.ts';
import type { Settings } from '../../model/settings.ts';
import { approvalJson, historyAttemptJson } from '../../render/attempt-json.ts';
import { formatApproval, formatTimestamp, pluralize } from '../../render/format.ts';
import { type CliContext, colorizersFor } from '../context.ts';
import type { Colorize } from '../output/colors.ts';
import { formatTable } from '../output/table.ts';

export interface HistoryOptions {
  readonly format: string;
  /** The most attempts to show, newest first. */
  readonly limit: number;
}

/** Shows attempts and approvals, each newest first. Returns 0. */
export async function history(settings: Settings, { format, limit }: HistoryOptions, context: CliContext): Promise<ExitCode> {
  const report = await readHistory(createAppContext(settings, context.env), limit);
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
  const outcome = attempt.outcome ?? 'unknown';
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

/** Returns the first 8 characters of an apply's ID, enough to select it on the command line. */
export function shortReconcileId(reconcileId: string): string {
  return reconcileId.slice(0, 8);
}

/** The parsed values of `--versions`: API, environment and an optional file. */
export interface VersionsTarget {
  readonly api: string;
  readonly environment: string;
  readonly file: string | undefined;
}

/** Parses the values of `--versions`. Throws an EdictError `OPTION_INVALID` unless they are an API, an environment and optionally a file. */
export function parseVersionsTarget([api, environment, file, ...more]: readonly string[]): VersionsTarget {
  if (api !== undefined && environment !== undefined && more.length === 0) return { api, environment, file };
  throw new EdictError('OPTION_INVALID', '--versions needs an API and an environment', {
    hint: 'edict history --versions API ENVIRONMENT [FILE]',
  });
}

/** Shows the versions of a publication that the gateway keeps, newest first. Returns 0. */
export async function listVersions(
  settings: Settings,
  of: VersionsTarget,
  { format }: { readonly format: string },
  context: CliContext,
): Promise<ExitCode> {
  const report = await readVersions(createAppContext(settings, context.env), of);
  context.stdout.write(
    format === 'json' ? `${JSON.stringify(versionsJson(report), null, 2)}\n` : versionsText(report, colorizersFor(context).out),
  );
  return exitCodes.done;
}

function versionsText({ names, versions, pinnedVersionId }: VersionsReport, paint: Colorize): string {
  const title = paint('bold', `${names.api} in ${names.environment}`);
  if (versions.length === 0) return `${title}\nThe gateway keeps no version: it was never published here.\n`;
  const head = ['version', 'number', 'published', '', 'remark'].map((name) => paint('bold', name));
  const rows = versions.map(({ versionId, versionNumber, publishedAtMs, isEffective, remark }) => [
    versionId,
    versionNumber,
    publishedAtMs === null ? '-' : formatTimestamp(publishedAtMs),
    paint('green', [isEffective ? 'effective' : '', versionId === pinnedVersionId ? 'pinned' : ''].filter(Boolean).join(', ')),
    remark.replace(/[\p{C}\p{Z}]+/gu, ' '),
  ]);
  const hint = paint('dim', `To keep one effective, write \`{ state: online, version: ID }\` for ${names.environment}.`);
  return `${[title, ...formatTable([head, ...rows]), '', hint].join('\n')}\n`;
}

function versionsJson({ names, versions, pinnedVersionId }: VersionsReport) {
  return {
    format: 1,
    ...names,
    versions: versions.map(({ versionId, versionNumber, remark, publishedAtMs, isEffective }) => ({
      versionId,
      number: versionNumber,
      remark,
      published: publishedAtMs === null ? null : formatTimestamp(publishedAtMs),
      effective: isEffective,
      pinned: versionId === pinnedVersionId,
    })),
  };
}
