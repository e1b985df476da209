import type { Command } from 'commander';
import { createAppContext } from '../../app/context.ts';
import { type ExitCode, exitCodes } from '../../model/errors.ts';
import { type CliContext, colorizersFor } from '../context.ts';
import {
  allowIncludeOption,
  apiArgument,
  emulateOption,
  environmentArgument,
  type Finish,
  fileArgument,
  formatOption,
  lockTimeoutOption,
  type PublicationArguments,
  stateOption,
} from '../options.ts';
import { writeText } from '../output/terminal.ts';
import { readSettings, storeSettings, writeSettings } from '../store-settings.ts';

/** The options of `state show` and `state copy`. */
export interface StateOptions {
  readonly state?: string;
  readonly format: 'text' | 'json';
}

export interface StateRmOptions extends StateOptions {
  readonly emulate?: boolean;
  readonly lockTimeout?: string;
}

/** Adds `edict state` and its subcommands. */
export function registerState(program: Command, context: CliContext, finish: Finish): void {
  const group = program.command('state').description('Show or copy the store, or delete records from it');

  group
    .command('show')
    .description('Show the gateways in the store, and the process that holds the lease of each')
    .addOption(allowIncludeOption())
    .addOption(stateOption())
    .addOption(formatOption('text', 'json'))
    .action(async (options: StateOptions) => finish(await showStore(options, context)));

  group
    .command('copy')
    .description('Copy the store into an empty one, even while a daemon uses it')
    .argument('<to>', 'the new store: a path, or a URL as for --state')
    .addOption(allowIncludeOption())
    .addOption(stateOption())
    .addOption(formatOption('text', 'json'))
    .action(async (to: string, options: StateOptions) => finish(await copyStore(to, options, context)));

  group
    .command('rm')
    .description('Delete the recorded state of a publication; make no calls and keep its history')
    .addArgument(apiArgument())
    .addArgument(environmentArgument())
    .addArgument(fileArgument())
    .addOption(allowIncludeOption())
    .addOption(stateOption())
    .addOption(formatOption('text', 'json'))
    .addOption(emulateOption())
    .addOption(lockTimeoutOption())
    .action(async (api: string, environment: string, file: string, options: StateRmOptions) =>
      finish(await removePublication({ api, environment, file }, options, context)),
    );
}

/** Shows the gateways in the store. Returns 0. */
async function showStore(options: StateOptions, context: CliContext): Promise<ExitCode> {
  const { readStore } = await import('../../app/store/store-admin.ts');
  const { renderStore } = await import('../output/store-report.ts');
  const settings = await readSettings(context, undefined, options);
  const report = await readStore(createAppContext(settings, context.env));
  writeText(context.stdout, renderStore(report, options.format, colorizersFor(context).out));
  return exitCodes.done;
}

/** Copies the store into the store `to`, and warns on stderr if a process was using it. Returns 0. */
async function copyStore(to: string, options: StateOptions, context: CliContext): Promise<ExitCode> {
  const { copyStoreTo } = await import('../../app/store/store-admin.ts');
  const { renderCopy, renderCopyWarning } = await import('../output/store-report.ts');
  const { out, err } = colorizersFor(context);
  const settings = await storeSettings(context, options, { paths: [], isWriting: false, findsEmulated: 'never' });
  const report = await copyStoreTo(createAppContext(settings, context.env), to);
  writeText(context.stderr, renderCopyWarning(report, err) ?? '');
  writeText(context.stdout, renderCopy(report, options.format, out));
  return exitCodes.done;
}

/** Deletes the recorded state of a publication. Returns 0. */
async function removePublication({ file, ...of }: PublicationArguments, options: StateRmOptions, context: CliContext): Promise<ExitCode> {
  const { removeRecord } = await import('../../app/store/store-admin.ts');
  const { renderRemovedRecord } = await import('../output/store-report.ts');
  const settings = await writeSettings(context, [file], options);
  const removed = await removeRecord(createAppContext(settings, context.env), of);
  writeText(context.stdout, renderRemovedRecord(removed, options.format, colorizersFor(context).out));
  return exitCodes.done;
}
