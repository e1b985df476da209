import { stripVTControlCharacters } from 'node:util';
import type { components } from '../../../generated/edict-apply.d.ts';
import type { ApplyResult } from '../../app/apply.ts';
import type { Change } from '../../model/change.ts';
import type { EdictEvent, Emit } from '../../model/events.ts';
import type { Settings } from '../../model/settings.ts';
import { toJson, visibleLine } from '../../model/visible.ts';
import { isActionable } from '../../plan/diff.ts';
import { summarizePlan } from '../../plan/summary.ts';
import { approveCommand, formatCommandLine } from '../../render/command-line.ts';
import { formatBlocker, formatDurationMs, formatSuspension, formatTimestamp, formatUnrecorded } from '../../render/format.ts';
import { formatHeadline, formatResultCounts } from '../../render/headline.ts';
import { formatAdopted } from '../../render/notices.ts';
import { fileHoldJson, suspensionJson } from '../../render/plan-json.ts';
import { type CliContext, colorizersFor } from '../context.ts';
import { formatScope, formatStaleChange, staleChangeJson } from './saved-plan-text.ts';
import { type Colorize, drawLine, formatReadProgress, formatTable, joinLines, type Progress, writeText } from './terminal.ts';

/*
 * The output of `edict apply`: progress on a terminal, then the result as text, or lines of JSON as described by spec/apply.schema.json.
 */

type Schemas = components['schemas'];

export type AttemptFinishedEvent = EdictEvent & { readonly type: 'attempt:finished' };

type ProbeEvent = EdictEvent & { readonly type: 'probe:answered' };

/** The report of an apply on stdout. */
export interface ApplyReport {
  /** Records the failures; as JSON, writes each finished attempt. */
  readonly emit: Emit;
  /** Writes the rest of the report. */
  finish(result: ApplyResult, settings: Settings): void;
}

/** Returns the report of an apply in a format. */
export function openApplyReport(format: 'text' | 'json', context: CliContext): ApplyReport {
  const { stdout } = context;
  const failures = new Map<string, AttemptFinishedEvent>();
  const probes = new Map<string, ProbeEvent>();
  let adoptedCount = 0;
  let hasSent = false;
  const writeJson = (line: object): void => writeText(stdout, `${toJson(line)}\n`);
  return {
    emit: (event) => {
      if (event.type === 'attempt:recovered') failures.delete(event.change.key);
      if (event.type === 'probe:answered') {
        if (event.isExpected) probes.delete(event.target.key);
        else probes.set(event.target.key, event);
      }
      if (event.type === 'gateway:observed') adoptedCount += event.adoptedCount;
      if (event.type !== 'attempt:finished') return;
      hasSent ||= event.outcome.kind !== 'superseded';
      if ('failure' in event.outcome) failures.set(event.change.key, event);
      else failures.delete(event.change.key);
      if (format === 'json') writeJson(applyAttemptJson(event));
    },
    finish: (result, settings) => {
      const { plan } = result;
      const approveCommandLine = approveCommand(plan, { ...settings, targets: plan.targets });
      if (format === 'text') {
        const happened = { failures: [...failures.values()], probes: [...probes.values()], adoptedCount, hasSent };
        writeText(
          stdout,
          applyText(result, happened, {
            approveCommandLine,
            statusCommand: formatCommandLine('status', [], settings),
            paint: colorizersFor(context).out,
          }),
        );
        return;
      }
      for (const change of plan.changes) if (!isActionable(change)) writeJson(blockedChangeJson(change));
      writeJson(applySummaryJson(result, { adoptedCount, approveCommand: approveCommandLine }));
    },
  };
}

/** Events during an apply besides its changes. */
interface ApplyEvents {
  readonly failures: readonly AttemptFinishedEvent[];
  readonly probes: readonly ProbeEvent[];
  /** Publications that were adopted from the gateway. */
  readonly adoptedCount: number;
  /** Whether a call was sent. */
  readonly hasSent: boolean;
}

function applyText(
  applied: ApplyResult,
  { failures, probes, adoptedCount, hasSent }: ApplyEvents,
  {
    approveCommandLine,
    statusCommand,
    paint,
  }: { readonly approveCommandLine: string | null; readonly statusCommand: string; readonly paint: Colorize },
): string {
  const { plan, superseded } = applied;
  const { fileHeld } = plan;
  const result = fileHeld
    ? `${paint('yellow', 'The whole file is held:')} ${fileHeld.message}. Nothing was sent. Before you approve: ${fileHeld.hint}.`
    : formatSummary(applied, hasSent);
  const failed = [
    ...failures.map((failure) => failureRow(failure, paint)),
    ...probes.map(({ target, message }) => [`${paint('red', 'x')} ${target.api}`, target.environment, 'probe', message, target.url]),
  ];
  const held = plan.changes.filter((change) => change.held);
  const deferred = plan.changes.filter((change) => change.deferred && !change.held);
  const line = (sign: string, change: Change, text: string): string =>
    `${paint('yellow', sign)} ${change.api} in ${change.environment}${text}`;
  const adopted = formatAdopted(adoptedCount);
  const lines = [
    ...(plan.suspension ? [paint('yellow', formatSuspension(plan.suspension))] : []),
    [result, formatScope(plan)].filter(Boolean).join(' '),
    ...(adopted === null ? [] : [adopted]),
    ...limitLines(formatTable(failed.slice(0, maxShown)), failed.length, statusCommand),
    ...limitLines(
      deferred.slice(0, maxShown).map((change) => line('…', change, `, ${formatBlocker(change)}`)),
      deferred.length,
      statusCommand,
    ),
    ...limitLines(
      held.slice(0, maxShown).map((change) => line('!', change, ` is held: ${formatBlocker(change)}`)),
      held.length,
      statusCommand,
    ),
    ...limitLines(
      superseded.slice(0, maxShown).map((staleChange) => `${paint('red', 'x')} ${formatStaleChange(staleChange)}; skipped`),
      superseded.length,
      statusCommand,
    ),
    ...(approveCommandLine === null ? [] : [`To approve what is held: ${paint('bold', approveCommandLine)}`]),
  ];
  return `${joinLines(lines)}\n`;
}

/** The most lines shown per list, so that the first ones stay visible; `status` shows all. */
const maxShown = 50;

function limitLines(lines: readonly string[], total: number, statusCommand: string): string[] {
  const indented = lines.map((line) => `  ${line}`);
  return total > lines.length ? [...indented, `  … and ${total - lines.length} more; see ${statusCommand}`] : indented;
}

function formatSummary({ plan, summary, unsent }: ApplyResult, hasSent: boolean): string {
  const { online, offline, failed, failedProbes, durationMs } = summary;
  if (!hasSent && online + offline + failed + failedProbes + unsent === 0)
    return plan.savedPlanDiff ? 'Nothing was sent.' : `${formatHeadline(plan, summarizePlan(plan))} Nothing was sent.`;
  return `Applied in ${formatDurationMs(durationMs)}: ${formatResultCounts({ ...summary, unsent })}.`;
}

function failureRow({ change, outcome }: AttemptFinishedEvent, paint: Colorize): string[] {
  const failure = 'failure' in outcome ? outcome.failure : null;
  return [
    `${paint('red', 'x')} ${change.api}`,
    change.environment,
    change.action,
    failure?.code ?? outcome.kind,
    [failure?.message, failure?.hint].filter(Boolean).join('; '),
  ];
}

/** Returns the line of a finished attempt. */
export function applyAttemptJson({
  attemptId,
  change,
  outcome,
  durationMs,
}: AttemptFinishedEvent): Schemas['Succeeded' | 'NoEffect' | 'Unsuccessful'] {
  const { api, apiId, environment, environmentId, action, reason } = change;
  const head = { type: 'attempt', attempt: attemptId, api, apiId, environment, environmentId, action, reason } as const;
  if (outcome.kind === 'succeeded') return { ...head, outcome: outcome.kind, versionId: outcome.versionId, durationMs };
  if (!('failure' in outcome)) return { ...head, outcome: outcome.kind, durationMs };
  const { code, status, message, hint, requestId, retryAfterMs } = outcome.failure;
  return { ...head, outcome: outcome.kind, code, status, message, hint, requestId, retryAfterMs, durationMs };
}

/** Returns the line of a held or deferred change. */
export function blockedChangeJson({ api, apiId, environment, environmentId, action, reason, held, deferred }: Change): Schemas['NotMade'] {
  const blocker = held ?? deferred;
  if (blocker === null) throw new TypeError(`${api} in ${environment} is neither held nor deferred`);
  const { rule, message } = blocker;
  const until = held || deferred?.untilMs == null ? null : formatTimestamp(deferred.untilMs);
  return { type: held ? 'held' : 'deferred', api, apiId, environment, environmentId, action, reason, rule, message, until };
}

/** Returns the last line. `approveCommand` approves the held changes; `adoptedCount` publications were adopted from the gateway. */
export function applySummaryJson(
  { plan, summary, unsent, superseded }: ApplyResult,
  { adoptedCount, approveCommand }: { readonly adoptedCount: number; readonly approveCommand: string | null },
): Schemas['Summary'] {
  const { excluded, savedPlanDiff } = plan;
  const fileHeld = plan.fileHeld && fileHoldJson(plan.fileHeld);
  const savedPlan = savedPlanDiff && {
    applied: savedPlanDiff.appliedCount,
    notInPlan: savedPlanDiff.notInPlan,
    superseded: superseded.map(staleChangeJson),
  };
  const { unsent: _, ...counts } = summary;
  const suspension = plan.suspension && suspensionJson(plan.suspension);
  return {
    type: 'summary',
    format: 1,
    ...counts,
    adopted: adoptedCount,
    unsent,
    excluded,
    savedPlan,
    fileHeld,
    suspension,
    approveCommand,
  };
}

/** Returns the progress of an apply on `stream`: a line for each finished change, above a bar. */
export function openProgress(stream: NodeJS.WriteStream, paint: Colorize): Progress {
  let total = 0;
  let done = 0;
  const failing = new Set<string>();
  let pauseText = '';
  let startedAtMs = 0;
  let isShown = false;

  const writeBar = (text: string): void => {
    isShown = true;
    drawLine(stream, fitLine(visibleLine(text), stream.columns));
  };
  const draw = (): void => {
    if (total === 0) return;
    const left = Math.max(0, total - done);
    const remainingTime = done > 0 && left > 0 ? `, ${formatDurationMs(((Date.now() - startedAtMs) / done) * left)} to go` : '';
    const failures = failing.size > 0 ? `, ${paint('red', `${failing.size} failed`)}` : '';
    writeBar(`${formatBar(done / total)} ${done} of ${total} done${failures}, ${left} left${remainingTime}${pauseText}`);
  };
  const clear = (): void => {
    if (isShown) drawLine(stream, '');
    isShown = false;
  };
  const onFinished = ({ change, outcome }: FinishedEvent): void => {
    if (outcome.kind === 'succeeded') done += 1;
    if ('failure' in outcome) failing.add(change.key);
    else failing.delete(change.key);
  };
  return {
    emit: (event) => {
      if (event.type === 'plan:computed' && startedAtMs === 0) {
        clear();
        total = event.plan.changes.filter((change) => change.held === null).length;
        startedAtMs = Date.now();
      }
      if (event.type === 'gateway:page_read' && startedAtMs === 0) writeBar(formatReadProgress(event));
      if (event.type === 'requests:paused') pauseText = `, ${paint('yellow', event.message)}`;
      if (event.type === 'requests:resumed') pauseText = '';
      if (event.type === 'attempt:finished' || event.type === 'attempt:recovered') onFinished(event);
      const line = progressLine(event, paint);
      if (line !== null) {
        drawLine(stream, '');
        writeText(stream, `${joinLines([line])}\n`);
      }
      if (line !== null || event.type === 'requests:paused' || event.type === 'requests:resumed') draw();
    },
    clear,
  };
}

type FinishedEvent = EdictEvent & { readonly type: 'attempt:finished' | 'attempt:recovered' };

/** Returns the line that a terminal shows of an event while an apply runs; `null` for none. */
function progressLine(event: EdictEvent, paint: Colorize): string | null {
  switch (event.type) {
    case 'attempt:finished':
      return changeLine(event, ` ${paint('dim', `(${event.change.reason}, ${event.durationMs} ms)`)}`, paint);
    case 'attempt:recovered':
      return changeLine(event, ` ${paint('dim', '(an earlier attempt whose outcome was unknown)')}`, paint);
    case 'attempt:unknown':
      return `${changeName(event.change, paint('yellow', '?'))}: ${paint('yellow', 'outcome unknown')}: ${event.reason}`;
    case 'gateway:observe_failed':
      return `${paint('yellow', 'The gateway was not observed:')} ${event.reason}`;
    case 'gateway:unrecorded':
      return `${paint('yellow', 'edict:')} ${formatUnrecorded(event.store)}`;
    case 'store:waiting':
      return `Waiting for the store: ${event.message}`;
    case 'store:unverified':
      return `${paint('yellow', 'edict:')} the server of the store is not verified: sslmode=${event.sslmode}`;
    case 'store:error':
      return `${paint('red', 'The store failed:')} ${event.message}`;
    default:
      return null;
  }
}

/** Returns the line of a finished attempt; `null` if it had no effect and no failure. */
function changeLine({ change, outcome }: FinishedEvent, details: string, paint: Colorize): string | null {
  if (outcome.kind === 'succeeded') {
    return `${changeName(change, change.action === 'online' ? paint('green', '+') : paint('red', '-'))}${details}`;
  }
  if (!('failure' in outcome)) return null;
  const { code, message } = outcome.failure;
  return `${changeName(change, paint('red', 'x'))}: ${[paint('red', code), message].filter(Boolean).join(' ')}`;
}

function changeName({ api, environment, action }: Change, sign: string): string {
  return `${sign} ${action.padEnd('offline'.length)}  ${api} in ${environment}`;
}

/** Returns `line` without colors and cut if it is too long for the terminal: a line that wraps cannot be erased. */
function fitLine(line: string, columns: number | undefined): string {
  // A terminal of unknown size reports 0 columns.
  const width = (columns || Number.POSITIVE_INFINITY) - 1;
  const plain = stripVTControlCharacters(line);
  return plain.length <= width ? line : `${plain.slice(0, width - 1)}…`;
}

function formatBar(share: number): string {
  const filled = Math.round(share * 20);
  return `[${'='.repeat(filled)}${' '.repeat(20 - filled)}]`;
}
