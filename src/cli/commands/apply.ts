import { type Command, Option } from 'commander';
import type { ApplyResult } from '../../app/apply.ts';
import { createAppContext } from '../../app/context.ts';
import { type ExitCode, exitCodes } from '../../model/errors.ts';
import type { LogFormat, LogLevel } from '../../model/settings.ts';
import { type CliContext, colorizersFor } from '../context.ts';
import {
  allowHostOption,
  allowIncludeOption,
  allowProbeHostOption,
  apiOption,
  dryRunOption,
  emulateOption,
  environmentOption,
  type Finish,
  fileArgument,
  formatOption,
  lockTimeoutOption,
  logFormatOption,
  logLevelOption,
  noRefreshOption,
  refreshOption,
  stateOption,
  yesOption,
} from '../options.ts';
import { writeText } from '../output/terminal.ts';
import { exitCodeOfStop, onStopSignal } from '../signals.ts';
import { logStopRequest } from '../stop-notice.ts';
import { writeSettings } from '../store-settings.ts';
import { runPlan } from './plan.ts';

export interface ApplyOptions {
  readonly state?: string;
  readonly emulate?: boolean;
  readonly refresh?: boolean;
  readonly api?: readonly string[];
  readonly environment?: readonly string[];
  readonly lockTimeout?: string;
  readonly logLevel: LogLevel;
  readonly logFormat?: LogFormat;
  readonly format: 'text' | 'json';
  readonly dryRun?: boolean;
  readonly yes?: boolean;
  /** The file of a saved plan to apply; a stale plan is rejected as a whole. */
  readonly plan?: string;
}

/** Adds `edict apply`. */
export function registerApply(program: Command, context: CliContext, finish: Finish): void {
  program
    .command('apply')
    .description('Make the calls that bring the gateway to the desired state, then exit')
    .addArgument(fileArgument())
    .addOption(apiOption())
    .addOption(environmentOption())
    .addOption(logLevelOption())
    .addOption(logFormatOption())
    .addOption(allowIncludeOption())
    .addOption(allowHostOption())
    .addOption(allowProbeHostOption())
    .addOption(stateOption())
    .addOption(formatOption('text', 'json'))
    .addOption(emulateOption())
    .addOption(dryRunOption())
    .addOption(yesOption())
    .addOption(refreshOption())
    .addOption(noRefreshOption())
    .addOption(lockTimeoutOption())
    .addOption(
      new Option('--plan <file>', 'make exactly the changes of a saved plan, or none if any is stale').conflicts(['api', 'environment']),
    )
    .action(async (file: string, options: ApplyOptions) => finish(await runApply(file, options, context)));
}

/**
 * Reconciles the file once, or makes the changes of a saved plan; with `dryRun` only shows the plan. On a terminal it shows the plan and
 * asks first. Returns 0, 5 if calls failed, 4 if something is held, 130 if Ctrl-C interrupted it and all outcomes are recorded, 1 for
 * SIGTERM, and if the answer is no.
 */
export async function runApply(file: string, options: ApplyOptions, context: CliContext): Promise<ExitCode> {
  if (options.dryRun) return runPlan(file, options, context);
  const { applyConfirmed, applyOnce, applySavedPlan } = await import('../../app/apply.ts');
  const { openCommandLogger } = await import('../../app/command-logger.ts');
  const { openApplyReport, openProgress } = await import('../output/apply-result.ts');
  const { logLevel: level, logFormat, plan } = options;
  const settings = await writeSettings(context, [file], options);
  const showsProgress = context.stderr.isTTY && logFormat === undefined;
  const progress = showsProgress ? openProgress(context.stderr, colorizersFor(context).err) : null;
  const logger = await openCommandLogger({ level, format: logFormat ?? 'pretty' }, settings, context.writeLog);
  if (progress && settings.emulate) writeText(context.stderr, 'Using an emulated gateway; nothing is sent to the real one.\n');
  const report = openApplyReport(options.format, context);
  using stop = onStopSignal();
  const appContext = createAppContext(settings, context.env, { signal: stop.signal });
  appContext.events.subscribe(progress?.emit ?? logger.emit);
  stop.signal.addEventListener('abort', () => progress?.clear());
  appContext.events.subscribe(logStopRequest(stop.signal, logger.log));
  appContext.events.subscribe(report.emit);
  let isUnrecorded = false;
  appContext.events.subscribe((event) => {
    if (event.type === 'attempt:finished' && !event.isRecorded) isUnrecorded = true;
  });
  const apply = async (): Promise<ApplyResult | null> => {
    if (plan !== undefined) return applySavedPlan(appContext, plan);
    if (!isAsking(options, context)) return applyOnce(appContext);
    const { confirmPlan } = await import('../confirm-plan.ts');
    return applyConfirmed(appContext, (shown, isChanged) => {
      progress?.clear();
      return confirmPlan(shown, isChanged, { context, settings, signal: stop.signal });
    });
  };
  const result = await apply().finally(() => progress?.clear());
  if (result === null) {
    writeText(context.stderr, 'Nothing was sent.\n');
    return exitCodes.error;
  }
  report.finish(result, settings);
  if (!stop.signal.aborted) return exitCodeOf(result);
  return isUnrecorded ? exitCodes.callsFailed : exitCodeOfStop(stop.signal);
}

/** Whether a person can answer, and is to be asked. */
function isAsking({ yes, emulate, format }: ApplyOptions, { env, stdin, stderr }: CliContext): boolean {
  return stdin.isTTY && stderr.isTTY && format === 'text' && !yes && !emulate && !env['CI'];
}

function exitCodeOf({ plan, summary, unsent, superseded }: ApplyResult): ExitCode {
  const { failed, unknown, failedProbes, held } = summary;
  if (failed + unknown + failedProbes + unsent + superseded.length > 0) return exitCodes.callsFailed;
  return held > 0 || plan.fileHeld ? exitCodes.held : exitCodes.done;
}
