import type { FailedChange, WaitProgress, WaitResult, WaitStatus } from '../../app/wait.ts';
import type { Change } from '../../model/change.ts';
import { assertNever } from '../../model/errors.ts';
import { toJson, visible } from '../../model/visible.ts';
import { countAsDeclared, summarizePlan } from '../../plan/summary.ts';
import { approveCommand, formatCommandLine } from '../../render/command-line.ts';
import { formatBlocker, formatDurationMs, pluralize } from '../../render/format.ts';
import { formatHeadline } from '../../render/headline.ts';
import { noticeForDrift } from '../../render/notices.ts';
import { fileHoldJson } from '../../render/plan-json.ts';
import type { CliContext } from '../context.ts';
import { type Colorize, drawLine, formatTable, joinLines, type RenderOptions, writeLine } from './terminal.ts';

/** The most changes shown, so that the first ones stay visible; `status` shows all. */
const maxShown = 50;

/** Returns the result of `edict wait`, with the changes that are left. */
export function renderWaitResult(result: WaitResult, { settings, format, paint }: RenderOptions): string {
  const approveCommandLine = approveCommand(result.status.plan, settings);
  return format === 'json'
    ? `${toJson(waitJson(result, approveCommandLine), 2)}\n`
    : waitText(result, { approveCommandLine, statusCommand: formatCommandLine('status', [], settings) }, paint);
}

/** The progress of `edict wait` on stderr. */
export interface WaitProgressLine {
  readonly show: (progress: WaitProgress) => void;
  /** Erases the line. */
  readonly clear: () => void;
}

/** Shows progress on stderr: on a terminal in one line that is redrawn, elsewhere as a new line whenever the kind of progress changes. */
export function openWaitProgress({ stderr }: CliContext): WaitProgressLine {
  let shown = '';
  return {
    show: (progress: WaitProgress): void => {
      const { kind, text } = progressText(progress);
      const key = stderr.isTTY ? text : kind;
      // Cut the line to the terminal's width: a wrapped line cannot be redrawn.
      if (key !== shown && stderr.isTTY) drawLine(stderr, visible(text).slice(0, (stderr.columns || 80) - 1));
      else if (key !== shown) writeLine(stderr, text);
      shown = key;
    },
    clear: (): void => {
      if (stderr.isTTY && shown !== '') drawLine(stderr, '');
    },
  };
}

/** Returns the progress as text, and the part of it that starts a new line when it changes. */
function progressText(progress: WaitProgress): { readonly kind: string; readonly text: string } {
  switch (progress.kind) {
    case 'store':
      return { kind: 'store', text: `Waiting for the store: ${progress.message}` };
    case 'holder':
      return {
        kind: 'holder',
        text: `Waiting for a daemon: ${progress.hold === null ? 'none holds the lease of the gateway' : `the file is held: ${progress.hold.message}`}`,
      };
    case 'daemon': {
      const { holder, isReconciled, paused, unobserved, pending, failed } = progress.status;
      const waitsFor =
        unobserved === null ? 'it has not reconciled this file yet' : `the gateway could not be observed: ${unobserved.reason}`;
      const state = isReconciled ? 'it has reconciled this file' : waitsFor;
      const kind = `${holder}: ${state}${paused === null ? '' : `; no calls: ${paused}`}`;
      const failures = failed.length === 0 ? '' : `, ${failed.length} failed`;
      return {
        kind,
        text: `Waiting for ${holder}: ${pluralize(pending.length, 'change')} left${failures}; ${kind.slice(`${holder}: `.length)}`,
      };
    }
    default:
      return assertNever(progress);
  }
}

type Left = 'pending' | 'failed' | 'held' | 'deferred';

interface LeftChange {
  readonly change: Change;
  readonly left: Left;
  /** The gateway's error code; `null` without a failure. */
  readonly code: string | null;
  readonly why: string;
}

/** Returns the remaining changes, each with the reason. */
function remainingChanges({ plan, pending, failed }: WaitStatus): readonly LeftChange[] {
  const failures = new Map(failed.map((one) => [one.change, one]));
  const isPending = new Set(pending);
  return plan.changes.map((change) => {
    const failure = failures.get(change);
    if (failure) return { change, left: 'failed', code: failure.attempt.code, why: failureText(failure) };
    const message = formatBlocker(change) ?? change.action;
    if (change.held) return { change, left: 'held', code: null, why: message };
    return { change, left: isPending.has(change) ? 'pending' : 'deferred', code: null, why: message };
  });
}

function failureText({ change, attempt: { code, message, outcome }, hint }: FailedChange): string {
  const text = [code ?? outcome, message].filter(Boolean).join(' ');
  return `${change.action}: ${text}${hint === null ? '' : `; ${hint}`}`;
}

function waitJson(result: WaitResult, approveCommandLine: string | null) {
  const { kind, reason, status, durationMs } = result;
  const { holder, isReconciled, plan } = status;
  const left = remainingChanges(status);
  const count = (of: Left): number => left.filter((one) => one.left === of).length;
  return {
    format: 1,
    result: kind,
    reason,
    holder,
    reconciled: isReconciled,
    summary: {
      unchanged: countAsDeclared(plan),
      pending: count('pending'),
      failed: count('failed'),
      held: count('held'),
      deferred: count('deferred'),
      drifted: plan.drifted.length,
      unmanaged: plan.unmanaged.length,
    },
    fileHeld: plan.fileHeld && fileHoldJson(plan.fileHeld),
    changes: left.map(
      ({ change: { api, apiId, environment, environmentId, action, reason: changeReason }, left: state, code, why: message }) => ({
        ...{ api, apiId, environment, environmentId, action, reason: changeReason, state, code, message },
      }),
    ),
    approveCommand: approveCommandLine,
    durationMs: Math.round(durationMs),
  };
}

function waitText(
  result: WaitResult,
  { approveCommandLine, statusCommand }: { readonly approveCommandLine: string | null; readonly statusCommand: string },
  paint: Colorize,
): string {
  const { plan } = result.status;
  const left = remainingChanges(result.status);
  const signs: Readonly<Record<Left, string>> = {
    pending: '-',
    failed: paint('red', 'x'),
    held: paint('yellow', '!'),
    deferred: paint('yellow', '…'),
  };
  const leftRows = left.map(({ change, left: state, why: message }) => [
    `${signs[state]} ${change.api}`,
    change.environment,
    state,
    message,
  ]);
  const driftedRows = plan.drifted.map((recorded) => {
    const { message } = noticeForDrift(recorded, plan.missingApiIds.includes(recorded.apiId), plan.replacedApiIds?.[recorded.apiId]);
    return [`${paint('magenta', '≠')} ${recorded.api}`, recorded.environment, 'drifted', message];
  });
  const all = [...leftRows, ...driftedRows];
  const rows = all.slice(0, maxShown);
  const lines = [
    headline(
      result,
      left.map((one) => one.left),
    ),
    ...(plan.fileHeld ? [`${paint('yellow', 'The whole file is held:')} ${plan.fileHeld.message}; ${plan.fileHeld.hint}.`] : []),
    ...formatTable(rows).map((line) => `  ${line}`),
    ...(all.length > rows.length ? [`  … and ${all.length - rows.length} more; see ${statusCommand}`] : []),
    ...(approveCommandLine === null ? [] : [`To approve: ${paint('bold', approveCommandLine)}`]),
  ];
  return `${joinLines(lines)}\n`;
}

function headline({ kind, reason, status, durationMs }: WaitResult, left: readonly Left[]): string {
  const counts = (['pending', 'failed', 'held', 'deferred'] as const).flatMap((state) => {
    const count = left.filter((one) => one === state).length;
    return count === 0 ? [] : `${count} ${state}`;
  });
  const { plan } = status;
  const drifted = plan.drifted.length === 0 ? [] : [`${plan.drifted.length} drifted`];
  const summary = [`${pluralize(countAsDeclared(plan), 'publication')} as declared`, ...counts, ...drifted].join(', ');
  switch (kind) {
    case 'in-sync':
      return formatHeadline(plan, summarizePlan(plan));
    case 'drifted':
      return `In effect, with drift left in place: ${summary}.`;
    case 'deferred':
      return `In effect, with deferred changes left: ${summary}.`;
    case 'held':
      return `${plan.fileHeld?.rule === 'unresolvedNames' ? 'Held' : 'Held for approval'}: ${summary}.`;
    case 'failed':
      return `Failed: ${summary}.`;
    case 'timeout':
      return `Not in effect after ${formatDurationMs(durationMs)}: ${summary}${reason === null ? '' : `; ${reason}`}.`;
    case 'interrupted':
      return `Interrupted; the daemon continues: ${summary}.`;
    default:
      return assertNever(kind);
  }
}
