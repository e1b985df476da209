import { type Applied, applyOnce, applySaved, openLog, type Stopper } from '../app.ts';
import type { Settings } from '../config.ts';
import { type ExitCode, exitCodes } from '../core/errors.ts';
import type { Emit, EngineEvent, PassSummary } from '../core/events.ts';
import type { LogFormat, LogLevel } from '../core/log-options.ts';
import { isMade, type Plan } from '../core/plan.ts';
import { counted, durationInWords, obstacleInWords } from '../words/phrases.ts';
import { releaseCommand } from '../words/release-command.ts';
import { attemptJson, type Settled, summaryJson, unmadeJson } from './apply-json.ts';
import { columns } from './columns.ts';
import { type Context, paintersOf } from './context.ts';
import { openProgress } from './progress.ts';
import { movedInWords, scopeInWords } from './saved-words.ts';
import { onStopSignal } from './signals.ts';

export interface ApplyOptions {
  readonly format: string;
  readonly logLevel: LogLevel;
  readonly logFormat?: LogFormat;
  /** The file of a saved plan, of which everything is done or nothing. */
  readonly plan?: string;
}

type Probed = EngineEvent & { readonly type: 'probe:answered' };

/** Makes one pass over the file, or the changes of a saved plan. Returns 0, 5 if calls failed, 4 if something is held, 1 if it was stopped before its end. */
export async function apply(settings: Settings, options: ApplyOptions, context: Context): Promise<ExitCode> {
  const { environment } = context;
  const from = options.plan;
  const act = (emit: Emit, stop: Stopper): Promise<Applied> =>
    from === undefined ? applyOnce(settings, environment, emit, stop) : applySaved(settings, from, environment, emit, stop);
  const { out, err } = paintersOf(context);
  const asJson = options.format === 'json';
  const failures = new Map<string, Settled>();
  const probes = new Map<string, Probed>();
  const progress = context.stderr.isTTY && options.logFormat === undefined ? openProgress(context.stderr, err) : null;
  const talk: Emit = progress ? progress.emit : (await openLog({ level: options.logLevel, format: options.logFormat ?? 'pretty' })).emit;
  const emit: Emit = (event) => {
    talk(event);
    if (event.type === 'attempt:resolved') failures.delete(event.change.key);
    if (event.type === 'probe:answered') {
      if (event.isExpected) probes.delete(event.target.key);
      else probes.set(event.target.key, event);
    }
    if (event.type !== 'attempt:settled') return;
    if ('failure' in event.outcome) failures.set(event.change.key, event);
    else failures.delete(event.change.key);
    if (asJson) context.stdout.write(`${JSON.stringify(attemptJson(event))}\n`);
  };
  using stop = onStopSignal();
  const applied = await act(emit, stop);
  progress?.clear();
  const { plan, summary, left, dropped } = applied;
  const release = releaseCommand(plan, { ...settings, targets: plan.targets });
  const { suspicion } = plan;
  if (asJson) for (const change of plan.changes) if (!isMade(change)) context.stdout.write(`${JSON.stringify(unmadeJson(change))}\n`);
  if (asJson) context.stdout.write(`${JSON.stringify(summaryJson({ plan, summary, left, dropped }, release))}\n`);
  else {
    const only = scopeInWords(plan);
    context.stdout.write(
      `${suspicion ? `${out('yellow', 'The whole file is held:')} ${suspicion.message}. Nothing was sent. Before you agree: ${suspicion.hint}.` : words(summary, left, plan)}${only ? ` ${only}` : ''}\n`,
    );
    const held = plan.changes.filter((change) => change.held);
    const waiting = plan.changes.filter((change) => change.waits && !change.held);
    const failed = [
      ...[...failures.values()].map((failure) => failureRow(failure, out)),
      ...[...probes.values()].map(({ target, said }) => [
        `${out('red', 'x')} ${target.api}`,
        target.environment,
        'probe',
        said,
        target.url,
      ]),
    ];
    writeSome(context, columns(failed.slice(0, mostShown)), failed.length);
    writeSome(
      context,
      waiting
        .slice(0, mostShown)
        .map((change) => `${out('yellow', '…')} ${change.api} in ${change.environment}, ${obstacleInWords(change)}`),
      waiting.length,
    );
    writeSome(
      context,
      held
        .slice(0, mostShown)
        .map((change) => `${out('yellow', '!')} ${change.api} in ${change.environment} is held: ${obstacleInWords(change)}`),
      held.length,
    );
    writeSome(
      context,
      dropped.slice(0, mostShown).map((one) => `${out('red', 'x')} ${movedInWords(one)}; not made`),
      dropped.length,
    );
    if (release !== null) context.stdout.write(`To agree to what is held: ${out('bold', release)}\n`);
  }
  if (stop.signal.aborted) return exitCodes.error;
  if (summary.failed > 0 || left > 0 || dropped.length > 0) return exitCodes.callsFailed;
  return summary.held > 0 || suspicion ? exitCodes.held : exitCodes.done;
}

/** More lines than this hide the first ones; `status` shows all. */
const mostShown = 50;

function writeSome({ stdout }: Context, lines: readonly string[], all: number): void {
  for (const line of lines) stdout.write(`  ${line}\n`);
  if (all > lines.length) stdout.write(`  … and ${all - lines.length} more; see edict status\n`);
}

function words({ online, offline, unchanged, held, waiting, failed, tookMs }: PassSummary, left: number, { kept }: Plan): string {
  if (online + offline + held + waiting + failed + left === 0)
    return kept ? 'Nothing was sent.' : `In sync. ${counted(unchanged, 'publication')} as the file says. Nothing was sent.`;
  const parts = [`${online} online`, `${offline} offline`, `${unchanged} unchanged`];
  if (held > 0) parts.push(`${held} held`);
  if (waiting > 0) parts.push(`${waiting} waiting`);
  if (failed > 0) parts.push(`${failed} failed`);
  if (left > 0) parts.push(`${left} not sent, since it was stopped`);
  return `Applied in ${durationInWords(tookMs)}: ${parts.join(', ')}.`;
}

function failureRow({ change, outcome }: Settled, paint: ReturnType<typeof paintersOf>['out']): string[] {
  const failure = 'failure' in outcome ? outcome.failure : null;
  return [
    `${paint('red', 'x')} ${change.api}`,
    change.environment,
    change.action,
    failure?.code ?? outcome.kind,
    [failure?.message, failure?.hint].filter(Boolean).join('; '),
  ];
}
