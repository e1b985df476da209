import type { HistoryReport, VersionsReport } from '../../app/reports.ts';
import type { Approval } from '../../model/approval.ts';
import type { Attempt } from '../../model/attempt.ts';
import { toJson } from '../../model/visible.ts';
import { approvalJson, historyAttemptJson } from '../../render/attempt-json.ts';
import { formatApproval, formatGateway, formatTimestamp, pluralize } from '../../render/format.ts';
import { type Colorize, formatTable, joinLines, type RenderOptions } from './terminal.ts';

/** Returns attempts and approvals, each newest first. */
export function renderHistory(
  { gateway, attempts, approvals }: Omit<HistoryReport, 'fileError'>,
  { settings: { emulate: isEmulated }, format, paint }: RenderOptions,
): string {
  if (format === 'text') {
    const emulated = isEmulated ? `${joinLines([`${formatGateway({ gateway, isEmulated })}.`])}\n\n` : '';
    return `${emulated}${historyText({ attempts, approvals }, paint)}`;
  }
  return `${toJson({ format: 1, emulated: isEmulated, attempts: attempts.map(historyAttemptJson), approvals: approvals.map(approvalJson) }, 2)}\n`;
}

/** Returns the versions of a publication that the gateway keeps, newest first. */
export function renderVersions(report: VersionsReport, format: 'text' | 'json', paint: Colorize): string {
  return format === 'json' ? `${toJson(versionsJson(report), 2)}\n` : versionsText(report, paint);
}

function historyText({ attempts, approvals }: Pick<HistoryReport, 'attempts' | 'approvals'>, paint: Colorize): string {
  return [attemptLines(attempts, paint), ...(approvals.length > 0 ? ['', approvalLines(approvals, paint)] : []), ''].join('\n');
}

function approvalLines(approvals: readonly Approval[], paint: Colorize): string {
  const head = ['approval', 'at', 'expires', 'by', 'reason', 'for', 'used'].map((title) => paint('bold', title));
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
  const head = ['attempt', 'started', 'API', 'environment', 'action', 'reason', 'outcome', 'apply', ''].map((title) =>
    paint('bold', title),
  );
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
    formatAttemptReason(attempt),
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

/** Returns why an attempt was made, with the revision that it published. */
export function formatAttemptReason({ reason, revision }: Pick<Attempt, 'reason' | 'revision'>): string {
  if (revision === null) return reason;
  return reason === 'revision' ? `revision ${revision}` : `${reason}, revision ${revision}`;
}

/** Returns the first 8 characters of an apply's ID, enough to select it on the command line. */
export function shortReconcileId(reconcileId: string): string {
  return reconcileId.slice(0, 8);
}

function versionsText({ names, versions, pinnedVersionId }: VersionsReport, paint: Colorize): string {
  const title = paint('bold', `${names.api} in ${names.environment}`);
  if (versions.length === 0) return `${joinLines([title, 'The gateway keeps no version: it was never published here.'])}\n`;
  const head = ['version', 'number', 'published', '', 'remark'].map((name) => paint('bold', name));
  const rows = versions.map(({ versionId, versionNumber, publishedAtMs, isEffective, remark }) => [
    versionId,
    versionNumber,
    publishedAtMs === null ? '-' : formatTimestamp(publishedAtMs),
    paint('green', [isEffective ? 'effective' : '', versionId === pinnedVersionId ? 'pinned' : ''].filter(Boolean).join(', ')),
    remark,
  ]);
  const hint = paint('dim', `To pin a version, declare \`${names.environment}: { state: online, version: ID }\` for the API.`);
  return `${joinLines([title, ...formatTable([head, ...rows]), '', hint])}\n`;
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
