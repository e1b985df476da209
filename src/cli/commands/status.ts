import { type Command, Option } from 'commander';
import { createAppContext } from '../../app/context.ts';
import { EdictError, type ExitCode, exitCodes } from '../../model/errors.ts';
import type { StatusView } from '../../render/status-json.ts';
import type { CliContext } from '../context.ts';
import {
  allowHostOption,
  allowIncludeOption,
  apiOption,
  emulateOption,
  environmentOption,
  type Finish,
  filesArgument,
  formatOption,
  gatewayOption,
  refreshOption,
  stateOption,
} from '../options.ts';
import type { FileStatus, InvalidFileStatus } from '../output/status-text.ts';
import { writeText } from '../output/terminal.ts';
import { runReadCommand } from '../read-command.ts';
import { storeSettings } from '../store-settings.ts';

export interface StatusOptions {
  readonly state?: string;
  readonly emulate?: boolean;
  /** Whether to observe the gateway first. */
  readonly refresh?: boolean;
  readonly gateway?: string;
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
    .addOption(allowHostOption())
    .addOption(stateOption())
    .addOption(formatOption('text', 'json'))
    .addOption(emulateOption())
    .addOption(refreshOption())
    .option('--unmanaged', 'list all publications that are online at the gateway and not in the file, not only the first 20')
    .addOption(gatewayOption())
    .addOption(new Option('--watch', 'show the status again whenever it changes, until Ctrl-C').conflicts('refresh'))
    .action(async (files: readonly string[], options: StatusOptions) => finish(await runStatus(files, options, context)));
}

/**
 * Shows the status of every publication of the files that `paths` name; with `watch` until SIGINT or SIGTERM. An invalid file hides neither
 * the recorded state of its gateway, if the store knows which one it is, nor other files. Returns 0, or the exit code of the first unreadable file.
 */
async function runStatus(paths: readonly string[], options: StatusOptions, context: CliContext): Promise<ExitCode> {
  const { listFiles, readStatus } = await import('../../app/reports.ts');
  const { approveCommand } = await import('../../render/command-line.ts');
  const { isFileError } = await import('../../app/store/known-gateway.ts');
  const { reportError } = await import('../output/errors.ts');
  const { renderAnyStatus, renderRecordedStatus, renderStatuses } = await import('../output/status-text.ts');
  const { format, watch: isWatched = false } = options;
  const settings = await storeSettings(context, options, { paths, isWriting: false, findsEmulated: 'always' });
  const style = { format, isWatched, context };
  const read = async (file: string): Promise<StatusView | InvalidFileStatus> => {
    const appContext = createAppContext({ ...settings, file }, context.env);
    const listsUnmanaged = options.unmanaged ?? false;
    try {
      const report = options.refresh ? await runReadCommand(context, appContext.settings, readStatus) : await readStatus(appContext);
      return { ...report, listsUnmanaged, approveCommand: approveCommand(report.plan, { ...settings, file }) };
    } catch (fileError) {
      if (!isFileError(fileError)) throw fileError;
      const { readRecordedStatus } = await import('../../app/recorded-reports.ts');
      const recorded = await readRecordedStatus(appContext, { fileError, instance: options.gateway ?? null });
      return { ...recorded, isEmulated: settings.emulate, listsUnmanaged };
    }
  };
  let code: ExitCode = exitCodes.done;
  const show = async (): Promise<string> => {
    const { files, isSingleFile } = await listFiles(paths);
    const [first = ''] = files;
    if (isSingleFile) {
      const status = await read(first);
      if (isWatched || !('fileError' in status)) return renderAnyStatus(status, style);
      code = reportError(status.fileError, context, 'text');
      writeText(context.stderr, '\n');
      return renderRecordedStatus(status, style);
    }
    const statuses: FileStatus[] = [];
    for (const file of files) statuses.push({ file, result: await read(file).catch(asEdictError) });
    code = statuses.map(({ result }) => errorOf(result)).find((error) => error !== null)?.exitCode ?? exitCodes.done;
    return renderStatuses(statuses, style);
  };
  if (isWatched) {
    const { watch } = await import('../watch.ts');
    await watch(show, context, format);
    return exitCodes.done;
  }
  writeText(context.stdout, await show());
  return code;
}

/** Returns the error of one of several files; where it is not known which gateway of the store it is about, the error of the file alone. */
function asEdictError(error: unknown): EdictError {
  if (!(error instanceof EdictError)) throw error;
  return error.cause instanceof EdictError && error.code === 'GATEWAY_UNKNOWN' ? error.cause : error;
}

function errorOf(result: FileStatus['result']): EdictError | null {
  if (result instanceof EdictError) return result;
  return 'fileError' in result ? result.fileError : null;
}
