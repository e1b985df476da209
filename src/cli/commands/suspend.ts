import { type Command, Option } from 'commander';
import { createAppContext } from '../../app/context.ts';
import { parseDurationOption, parseTextOption } from '../../app/settings.ts';
import { type ExitCode, exitCodes } from '../../model/errors.ts';
import { type CliContext, colorizersFor } from '../context.ts';
import { allowIncludeOption, emulateOption, type Finish, fileArgument, formatOption, gatewayOption, stateOption } from '../options.ts';
import { writeLine, writeText } from '../output/terminal.ts';
import { findOtherEmulatedStore, writeSettings } from '../store-settings.ts';

/** The options of `suspend` and `resume`. */
export interface ResumeOptions {
  readonly state?: string;
  readonly emulate?: boolean;
  readonly gateway?: string;
  readonly format: 'text' | 'json';
}

export interface SuspendOptions extends ResumeOptions {
  readonly by?: string;
  readonly reason: string;
  readonly for?: string;
}

/** Adds `edict suspend`. */
export function registerSuspend(program: Command, context: CliContext, finish: Finish): void {
  program
    .command('suspend')
    .description('Suspend all calls to the gateway, at once and before the first start')
    .addArgument(fileArgument())
    .addOption(new Option('--reason <text>', 'the reason, which plan and status show').default('no reason given'))
    .addOption(new Option('--for <duration>', 'how long, such as 2h (default: until edict resume)'))
    .addOption(new Option('--by <name>', 'the name of the person who suspends (default: the user of this process)'))
    .addOption(allowIncludeOption())
    .addOption(stateOption())
    .addOption(gatewayOption())
    .addOption(formatOption('text', 'json'))
    .addOption(emulateOption())
    .action(async (file: string, options: SuspendOptions) => finish(await runSuspend(file, options, context)));
}

/** Adds `edict resume`. */
export function registerResume(program: Command, context: CliContext, finish: Finish): void {
  program
    .command('resume')
    .description('End the suspension, so that calls are made again')
    .addArgument(fileArgument())
    .addOption(allowIncludeOption())
    .addOption(stateOption())
    .addOption(gatewayOption())
    .addOption(formatOption('text', 'json'))
    .addOption(emulateOption())
    .action(async (file: string, options: ResumeOptions) => finish(await runResume(file, options, context)));
}

/** A shorter suspension would end before a running daemon has seen it. */
const minSuspensionMs = 1000;

/** Suspends all calls to the file's gateway. Returns 0, also if the file is invalid and the store knows the gateway. */
async function runSuspend(file: string, options: SuspendOptions, context: CliContext): Promise<ExitCode> {
  const { suspendCalls } = await import('../../app/suspension.ts');
  const { renderSuspended } = await import('../output/suspension.ts');
  const settings = await writeSettings(context, [file], options);
  const emulatedStore = await findOtherEmulatedStore(settings, options);
  const report = await suspendCalls(createAppContext(settings, context.env), {
    by: options.by === undefined ? null : parseTextOption(options.by, '--by'),
    reason: parseTextOption(options.reason, '--reason'),
    forMs: options.for === undefined ? null : parseDurationOption(options.for, '--for', { minMs: minSuspensionMs }),
    instance: options.gateway ?? null,
  });
  await reportFileError(report.fileError, context);
  if (emulatedStore !== null) writeLine(context.stderr, `${colorizersFor(context).err('yellow', 'edict:')} ${emulatedStore}`);
  writeText(context.stdout, renderSuspended(report, { settings, format: options.format, paint: colorizersFor(context).out }));
  return exitCodes.done;
}

/** Ends the suspension of the file's gateway. Returns 0, also if there was none. */
async function runResume(file: string, options: ResumeOptions, context: CliContext): Promise<ExitCode> {
  const { resumeCalls } = await import('../../app/suspension.ts');
  const { renderResumed } = await import('../output/suspension.ts');
  const settings = await writeSettings(context, [file], options);
  const report = await resumeCalls(createAppContext(settings, context.env), options.gateway ?? null);
  await reportFileError(report.fileError, context);
  writeText(context.stdout, renderResumed(report, { settings, format: options.format, paint: colorizersFor(context).out }));
  return exitCodes.done;
}

async function reportFileError(error: unknown, context: CliContext): Promise<void> {
  if (error === null) return;
  const { reportError } = await import('../output/errors.ts');
  reportError(error, context, 'text');
}
