import type { Command } from 'commander';
import { createAppContext } from '../../app/context.ts';
import { EdictError, type ExitCode, exitCodes } from '../../model/errors.ts';
import { type CliContext, colorizersFor } from '../context.ts';
import {
  allowIncludeOption,
  apiOption,
  emulateOption,
  environmentOption,
  type Finish,
  fileArgument,
  formatOption,
  gatewayOption,
  parseWholeNumber,
  stateOption,
} from '../options.ts';
import { writeText } from '../output/terminal.ts';
import { runReadCommand } from '../read-command.ts';
import { readSettings } from '../store-settings.ts';

export interface HistoryOptions {
  readonly state?: string;
  readonly emulate?: boolean;
  readonly gateway?: string;
  readonly api?: readonly string[];
  readonly environment?: readonly string[];
  readonly format: 'text' | 'json';
  /** The most attempts to show, newest first. */
  readonly limit: number;
  /** An API, an environment and optionally the file: show the versions of that publication instead. */
  readonly versions?: readonly string[];
}

/** Adds `edict history`. */
export function registerHistory(program: Command, context: CliContext, finish: Finish): void {
  program
    .command('history')
    .description('Show attempts and approvals, newest first')
    .addArgument(fileArgument())
    .addOption(apiOption())
    .addOption(environmentOption())
    .addOption(allowIncludeOption())
    .addOption(stateOption())
    .addOption(formatOption('text', 'json'))
    .addOption(emulateOption())
    .addOption(gatewayOption())
    .option('--limit <count>', 'show at most this many attempts', parseWholeNumber, 50)
    .option('--versions <names...>', 'show the versions that the gateway keeps of one publication, given as API ENVIRONMENT')
    .action(async (file: string, { versions, ...options }: HistoryOptions) =>
      finish(
        versions
          ? await listVersions({ file, ...parseVersionsTarget(versions) }, options, context)
          : await runHistory(file, options, context),
      ),
    );
}

/** Shows attempts and approvals, each newest first. Returns 0; 3 if the file is invalid, and the store knows its gateway. */
async function runHistory(file: string, options: HistoryOptions, context: CliContext): Promise<ExitCode> {
  const { readHistory } = await import('../../app/reports.ts');
  const { renderHistory } = await import('../output/history.ts');
  const { reportError } = await import('../output/errors.ts');
  const settings = await readSettings(context, file, options);
  const report = await readHistory(createAppContext(settings, context.env), options.limit, options.gateway ?? null);
  if (report.fileError !== null) {
    reportError(report.fileError, context, 'text');
    writeText(context.stderr, '\n');
  }
  writeText(context.stdout, renderHistory(report, { settings, format: options.format, paint: colorizersFor(context).out }));
  return report.fileError?.exitCode ?? exitCodes.done;
}

/** The parsed values of `--versions`: API, environment and an optional file. */
export interface VersionsTarget {
  readonly api: string;
  readonly environment: string;
  readonly file?: string;
}

/** Parses the values of `--versions`. Throws an EdictError `OPTION_INVALID` unless they are an API, an environment and optionally a file. */
export function parseVersionsTarget([api, environment, file, ...more]: readonly string[]): VersionsTarget {
  if (api !== undefined && environment !== undefined && more.length === 0) return { api, environment, ...(file !== undefined && { file }) };
  throw new EdictError('OPTION_INVALID', '--versions needs an API and an environment', {
    hint: 'edict history --versions API ENVIRONMENT [FILE]',
  });
}

/** Shows the versions of a publication that the gateway keeps, newest first. Returns 0. */
async function listVersions(
  of: VersionsTarget & { readonly file: string },
  options: HistoryOptions,
  context: CliContext,
): Promise<ExitCode> {
  const { readVersions } = await import('../../app/reports.ts');
  const { renderVersions } = await import('../output/history.ts');
  const settings = await readSettings(context, of.file, options);
  const report = await runReadCommand(context, settings, (appContext) => readVersions(appContext, of));
  writeText(context.stdout, renderVersions(report, options.format, colorizersFor(context).out));
  return exitCodes.done;
}
