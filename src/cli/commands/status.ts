import type { Command } from 'commander';
import { createAppContext } from '../../app/context.ts';
import { EdictError, type ExitCode, exitCodes } from '../../model/errors.ts';
import type { StatusView } from '../../render/status-json.ts';
import type { CliContext } from '../context.ts';
import {
  allowIncludeOption,
  apiOption,
  emulateOption,
  environmentOption,
  type Finish,
  filesArgument,
  formatOption,
  stateOption,
} from '../options.ts';
import type { FileStatus } from '../output/status-text.ts';
import { storeSettings } from '../store-settings.ts';

export interface StatusOptions {
  readonly state?: string;
  readonly emulate?: boolean;
  readonly api?: readonly string[];
  readonly environment?: readonly string[];
  readonly format: 'text' | 'json';
  /** Whether to list all unmanaged publications. */
  readonly unmanaged?: boolean;
  /** Whether to show the status again whenever it changes. */
  readonly watch?: boolean;
}

/** Adds `edict status`. */
export function registerStatus(program: Command, context: CliContext, finish: Finish): void {
  program
    .command('status')
    .description('Show the desired state, the recorded state and the last outcome of each publication')
    .addArgument(filesArgument())
    .addOption(apiOption())
    .addOption(environmentOption())
    .addOption(allowIncludeOption())
    .addOption(stateOption())
    .addOption(formatOption('text', 'json'))
    .addOption(emulateOption())
    .option('--unmanaged', 'list all publications that are online at the gateway and not in the file, not only the first 20')
    .option('--watch', 'show the status again whenever it changes, until Ctrl-C')
    .action(async (files: readonly string[], options: StatusOptions) => finish(await runStatus(files, options, context)));
}

/**
 * Shows the status of every publication of the files that `paths` name; with `watch` until SIGINT or SIGTERM. With several files or a
 * folder, an unreadable file does not hide the others. Returns 0, or the exit code of the first unreadable file.
 */
async function runStatus(paths: readonly string[], options: StatusOptions, context: CliContext): Promise<ExitCode> {
  const { listFiles, readStatus } = await import('../../app/reports.ts');
  const { approveCommand } = await import('../../render/command-line.ts');
  const { renderStatus, renderStatuses } = await import('../output/status-text.ts');
  const { format, watch: isWatched = false } = options;
  const settings = await storeSettings(context, options, { paths, isWriting: false, findsEmulated: 'always' });
  const style = { format, isWatched, context };
  const read = async (file: string): Promise<StatusView> => {
    const report = await readStatus(createAppContext({ ...settings, file }, context.env));
    return { ...report, listsUnmanaged: options.unmanaged ?? false, approveCommand: approveCommand(report.plan, { ...settings, file }) };
  };
  let code: ExitCode = exitCodes.done;
  const show = async (): Promise<string> => {
    const { files, isSingleFile } = await listFiles(paths);
    const [first = ''] = files;
    if (isSingleFile) return renderStatus(await read(first), style);
    const statuses: FileStatus[] = [];
    for (const file of files) statuses.push({ file, result: await read(file).catch(asEdictError) });
    code = statuses.map(({ result }) => result).find((result) => result instanceof EdictError)?.exitCode ?? exitCodes.done;
    return renderStatuses(statuses, style);
  };
  if (isWatched) {
    const { watch } = await import('../watch.ts');
    await watch(show, context, format);
    return exitCodes.done;
  }
  context.stdout.write(await show());
  return code;
}

function asEdictError(error: unknown): EdictError {
  if (error instanceof EdictError) return error;
  throw error;
}
