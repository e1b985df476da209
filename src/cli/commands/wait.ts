import { type Command, Option } from 'commander';
import { createAppContext } from '../../app/context.ts';
import { parseDurationOption } from '../../app/settings.ts';
import type { WaitResult } from '../../app/wait.ts';
import { assertNever, type ExitCode, exitCodes } from '../../model/errors.ts';
import { type CliContext, colorizersFor } from '../context.ts';
import { allowIncludeOption, emulateOption, type Finish, fileArgument, formatOption, stateOption } from '../options.ts';
import { writeText } from '../output/terminal.ts';
import { exitCodeOfStop, onStopSignal } from '../signals.ts';
import { readSettings } from '../store-settings.ts';

export interface WaitCommandOptions {
  readonly state?: string;
  readonly emulate?: boolean;
  readonly format: 'text' | 'json';
  readonly timeout: string;
  readonly reconcile?: boolean;
}

/** Adds `edict wait`. */
export function registerWait(program: Command, context: CliContext, finish: Finish): void {
  program
    .command('wait')
    .description('Wait until the daemon has brought the file into effect; exit with 2 if drift is left in place; make no calls')
    .addArgument(fileArgument())
    .addOption(allowIncludeOption())
    .addOption(stateOption())
    .addOption(formatOption('text', 'json'))
    .addOption(emulateOption())
    .addOption(new Option('--timeout <duration>', 'how long to wait').default('10m'))
    .option('--reconcile', 'ask the daemon to reconcile now, and to retry rejected changes')
    .action(async (file: string, options: WaitCommandOptions) => finish(await runWait(file, options, context)));
}

/**
 * Waits until the daemon has brought the file into effect, with progress on stderr. Returns 0 if at most deferred changes are left, 2 if drift
 * is left in place, 4 if a change is held, 5 if a change failed or the timeout expired, 130 if Ctrl-C interrupted it, 1 for SIGTERM.
 */
async function runWait(file: string, options: WaitCommandOptions, context: CliContext): Promise<ExitCode> {
  const { waitForDaemon } = await import('../../app/wait.ts');
  const { openWaitProgress, renderWaitResult } = await import('../output/wait-result.ts');
  const settings = await readSettings(context, file, options);
  const waitOptions = { timeoutMs: parseDurationOption(options.timeout, '--timeout'), reconcile: options.reconcile ?? false };
  using stop = onStopSignal();
  const progress = openWaitProgress(context);
  const result = await waitForDaemon(createAppContext(settings, context.env, { signal: stop.signal }), waitOptions, progress.show).finally(
    progress.clear,
  );
  writeText(context.stdout, renderWaitResult(result, { settings, format: options.format, paint: colorizersFor(context).out }));
  return result.kind === 'interrupted' ? exitCodeOfStop(stop.signal) : exitCodeOf(result.kind);
}

function exitCodeOf(kind: Exclude<WaitResult['kind'], 'interrupted'>): ExitCode {
  switch (kind) {
    case 'in-sync':
    case 'deferred':
      return exitCodes.done;
    case 'drifted':
      return exitCodes.changes;
    case 'held':
      return exitCodes.held;
    case 'failed':
    case 'timeout':
      return exitCodes.callsFailed;
    default:
      return assertNever(kind);
  }
}
