import { applyOnce, applySavedPlan } from '../../app/apply.ts';
import { openCommandLogger } from '../../app/command-logger.ts';
import { createAppContext } from '../../app/context.ts';
import type { Plan } from '../../model/change.ts';
import { type ExitCode, exitCodes } from '../../model/errors.ts';
import type { EdictEvent, Emit, ReconcileSummary } from '../../model/events.ts';
import type { LogFormat, LogLevel } from '../../model/log-options.ts';
import type { Settings } from '../../model/settings.ts';
import { isActionable } from '../../plan/diff.ts';
import { approveCommand } from '../../render/command-line.ts';
import { formatBlocker, formatDurationMs, pluralize } from '../../render/format.ts';
import { type CliContext, colorizersFor } from '../context.ts';
import { type AttemptFinishedEvent, applyAttemptJson, applySummaryJson, blockedChangeJson } from '../output/apply-json.ts';
import { openProgress } from '../output/progress.ts';
import { formatScope, formatStaleChange } from '../output/saved-plan-text.ts';
import { formatTable } from '../output/table.ts';
import { onStopSignal } from '../signals.ts';

export interface ApplyOptions {
  readonly format: string;
  readonly logLevel: LogLevel;
  readonly logFormat?: LogFormat;
  /** The file of a saved plan to apply; a stale plan is rejected as a whole. */
  readonly plan?: string;
}

type ProbeEvent = EdictEvent & { readonly type: 'probe:answered' };

/** Reconciles the file once, or makes the changes of a saved plan. Returns 0, 5 if calls failed, 4 if something is held, 1 if it was interrupted. */
export async function apply(settings: Settings, options: ApplyOptions, context: CliContext): Promise<ExitCode> {
  const { out, err } = colorizersFor(context);
  const asJson = options.format === 'json';
  const failures = new Map<string, AttemptFinishedEvent>();
  const probes = new Map<string, ProbeEvent>();
  const progress = context.stderr.isTTY && options.logFormat === undefined ? openProgress(context.stderr, err) : null;
  const emitLog: Emit = progress
    ? progress.emit
    : (await openCommandLogger({ level: options.logLevel, format: options.logFormat ?? 'pretty' })).emit;
  using stop = onStopSignal();
  const appContext = createAppContext(settings, context.env, { signal: stop.signal });
  appContext.events.subscribe(emitLog);
  appContext.events.subscribe((event) => {
    if (event.type === 'attempt:recovered') failures.delete(event.change.key);
    if (event.type === 'probe:answered') {
      if (event.isExpected) probes.delete(event.target.key);
      else probes.set(event.target.key, event);
    }
    if (event.type !== 'attempt:finished') return;
    if ('failure' in event.outcome) failures.set(event.change.key, event);
    else failures.delete(event.change.key);
    if (asJson) context.stdout.write(`${JSON.stringify(applyAttemptJson(event))}\n`);
  });
  const applied = await (options.plan === undefined ? applyOnce(appContext) : applySavedPlan(appContext, options.plan));
  progress?.clear();
  const { plan, summary, unsent, superseded } = applied;
  const approveCommandLine = approveCommand(plan, { ...settings, targets: plan.targets });
  const { fileHeld } = plan;
  if (asJson)
    for (const change of plan.changes) if (!isActionable(change)) context.stdout.write(`${JSON.stringify(blockedChangeJson(change))}\n`);
  if (asJson) context.stdout.write(`${JSON.stringify(applySummaryJson({ plan, summary, unsent, superseded }, approveCommandLine))}\n`);
  else {
    const scope = formatScope(plan);
    context.stdout.write(
      `${fileHeld ? `${out('yellow', 'The whole file is held:')} ${fileHeld.message}. Nothing was sent. Before you agree: ${fileHeld.hint}.` : formatSummary(summary, unsent, plan)}${scope ? ` ${scope}` : ''}\n`,
    );
    const held = plan.changes.filter((change) => change.held);
    const deferred = plan.changes.filter((change) => change.deferred && !change.held);
    const failed = [
      ...[...failures.values()].map((failure) => failureRow(failure, out)),
      ...[...probes.values()].map(({ target, message }) => [
        `${out('red', 'x')} ${target.api}`,
        target.environment,
        'probe',
        message,
        target.url,
      ]),
    ];
    writeLimited(context, formatTable(failed.slice(0, maxShown)), failed.length);
    writeLimited(
      context,
      deferred.slice(0, maxShown).map((change) => `${out('yellow', '…')} ${change.api} in ${change.environment}, ${formatBlocker(change)}`),
      deferred.length,
    );
    writeLimited(
      context,
      held
        .slice(0, maxShown)
        .map((change) => `${out('yellow', '!')} ${change.api} in ${change.environment} is held: ${formatBlocker(change)}`),
      held.length,
    );
    writeLimited(
      context,
      superseded.slice(0, maxShown).map((staleChange) => `${out('red', 'x')} ${formatStaleChange(staleChange)}; not made`),
      superseded.length,
    );
    if (approveCommandLine !== null) context.stdout.write(`To agree to what is held: ${out('bold', approveCommandLine)}\n`);
  }
  if (stop.signal.aborted) return exitCodes.error;
  if (summary.failed > 0 || unsent > 0 || superseded.length > 0) return exitCodes.callsFailed;
  return summary.held > 0 || fileHeld ? exitCodes.held : exitCodes.done;
}

/** The most lines shown per list, so that the first ones stay visible; `status` shows all. */
const maxShown = 50;

function writeLimited({ stdout }: CliContext, lines: readonly string[], all: number): void {
  for (const line of lines) stdout.write(`  ${line}\n`);
  if (all > lines.length) stdout.write(`  … and ${all - lines.length} more; see edict status\n`);
}

function formatSummary(
  { online, offline, unchanged, held, deferred, failed, durationMs }: ReconcileSummary,
  unsentCount: number,
  { savedPlanDiff }: Plan,
): string {
  if (online + offline + held + deferred + failed + unsentCount === 0)
    return savedPlanDiff ? 'Nothing was sent.' : `In sync. ${pluralize(unchanged, 'publication')} as the file says. Nothing was sent.`;
  const parts = [`${online} online`, `${offline} offline`, `${unchanged} unchanged`];
  if (held > 0) parts.push(`${held} held`);
  if (deferred > 0) parts.push(`${deferred} deferred`);
  if (failed > 0) parts.push(`${failed} failed`);
  if (unsentCount > 0) parts.push(`${unsentCount} not sent, since it was stopped`);
  return `Applied in ${formatDurationMs(durationMs)}: ${parts.join(', ')}.`;
}

function failureRow({ change, outcome }: AttemptFinishedEvent, paint: ReturnType<typeof colorizersFor>['out']): string[] {
  const failure = 'failure' in outcome ? outcome.failure : null;
  return [
    `${paint('red', 'x')} ${change.api}`,
    change.environment,
    change.action,
    failure?.code ?? outcome.kind,
    [failure?.message, failure?.hint].filter(Boolean).join('; '),
  ];
}
