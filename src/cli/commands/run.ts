import { type Command, Option } from 'commander';
import { createAppContext } from '../../app/context.ts';
import {
  debounceBounds,
  defaultListenAddress,
  parseDurationOption,
  parseHistoryRetention,
  parseListenAddress,
  resyncBounds,
} from '../../app/settings.ts';
import { EdictError, type ExitCode, exitCodes } from '../../model/errors.ts';
import { type DaemonSettings, defaultFile, type LogFormat, type LogLevel } from '../../model/settings.ts';
import type { CliContext } from '../context.ts';
import {
  allowHostOption,
  allowIncludeOption,
  allowProbeHostOption,
  dryRunOption,
  emulateOption,
  type Finish,
  filesArgument,
  formatOption,
  lockTimeoutOption,
  logFormatOption,
  logLevelOption,
  refreshOption,
  stateOption,
} from '../options.ts';
import { onStopSignal } from '../signals.ts';
import { logStopRequest } from '../stop-notice.ts';
import { writeSettings } from '../store-settings.ts';
import { runApply } from './apply.ts';

export interface RunOptions {
  readonly state?: string;
  readonly emulate?: boolean;
  readonly refresh?: boolean;
  readonly lockTimeout?: string;
  readonly logLevel: LogLevel;
  readonly logFormat?: LogFormat;
  readonly format: 'text' | 'json';
  readonly dryRun?: boolean;
  readonly once?: boolean;
  readonly debounce: string;
  readonly resync: string;
  readonly historyRetention: string;
  readonly listen: string;
}

/** Adds `edict run`. */
export function registerRun(program: Command, context: CliContext, finish: Finish): void {
  program
    .command('run')
    .description('Run the daemon: watch the files and keep their gateways in the desired state')
    .addArgument(filesArgument())
    .addOption(logLevelOption())
    .addOption(logFormatOption())
    .addOption(new Option('--debounce <duration>', 'how long a file must stay unchanged before it is read').default('200ms'))
    .addOption(new Option('--resync <duration>', 'how often to reconcile when nothing has changed').default('5m'))
    .addOption(
      new Option(
        '--history-retention <duration>',
        'delete attempts older than this, at least 168h, except the newest 50 of each publication; forever to keep all',
      )
        .default('4320h')
        .env('EDICT_HISTORY_RETENTION'),
    )
    .addOption(
      new Option('--listen <address>', 'serve the status page, the API, health checks and metrics at HOST:PORT; off to disable')
        .default(defaultListenAddress)
        .env('EDICT_LISTEN'),
    )
    .addOption(allowIncludeOption())
    .addOption(allowHostOption())
    .addOption(allowProbeHostOption())
    .addOption(stateOption())
    .addOption(formatOption('text', 'json'))
    .addOption(emulateOption())
    .addOption(dryRunOption())
    .addOption(refreshOption())
    .addOption(lockTimeoutOption())
    .option('--once', 'reconcile once, then exit, as apply --yes does')
    .action(async (files: readonly string[], options: RunOptions, command: Command) => {
      const listenIsExplicit = command.getOptionValueSource('listen') !== 'default';
      finish(
        options.once || options.dryRun
          ? await runOnce(files, options, context)
          : await runDaemon(files, { ...options, listenIsExplicit }, context),
      );
    });
}

/** Does what `edict apply --yes` does: a daemon asks nobody. Throws an EdictError `OPTION_INVALID` for several files. */
function runOnce([file = defaultFile, ...more]: readonly string[], options: RunOptions, context: CliContext): Promise<ExitCode> {
  if (more.length === 0) return runApply(file, { ...options, yes: true }, context);
  throw new EdictError('OPTION_INVALID', `${options.once ? '--once' : '--dry-run'} supports only one file`, {
    hint: 'run `edict plan` or `edict apply` for each file',
  });
}

/** Runs the daemon for the files that `paths` name until SIGTERM or SIGINT; SIGHUP triggers a reconciliation. Returns 0. */
async function runDaemon(
  paths: readonly string[],
  options: RunOptions & { readonly listenIsExplicit: boolean },
  context: CliContext,
): Promise<ExitCode> {
  // Without a listener SIGHUP ends the process. A daemon that starts reconciles anyway, so that there is nothing else to do.
  const ignore = (): void => {};
  process.on('SIGHUP', ignore);
  try {
    return await reconcileUntilStopped(paths, options, context);
  } finally {
    process.off('SIGHUP', ignore);
  }
}

async function reconcileUntilStopped(
  paths: readonly string[],
  options: RunOptions & { readonly listenIsExplicit: boolean },
  context: CliContext,
): Promise<ExitCode> {
  const settings = await writeSettings(context, paths, options);
  const daemonSettings: DaemonSettings = {
    debounceMs: parseDurationOption(options.debounce, '--debounce', debounceBounds),
    resyncMs: parseDurationOption(options.resync, '--resync', resyncBounds),
    historyRetentionMs: parseHistoryRetention(options.historyRetention),
    listen: parseListenAddress(options.listen),
    listenIsExplicit: options.listenIsExplicit,
  };
  const { openCommandLogger } = await import('../../app/command-logger.ts');
  const { startDaemon } = await import('../../app/daemon.ts');
  const { redactUrl } = await import('../../model/store-url.ts');
  const { emit, forFile, log } = await openCommandLogger(
    { level: options.logLevel, format: options.logFormat ?? (context.stderr.isTTY ? 'pretty' : 'json') },
    settings,
    context.writeLog,
  );
  using stop = onStopSignal();
  const onEvent = logStopRequest(stop.signal, log);
  const daemon = await startDaemon(createAppContext(settings, context.env, { signal: stop.signal }), {
    ...daemonSettings,
    paths,
    logFor: (file, isSingleFile) => {
      const logEvent = isSingleFile ? emit : forFile(file);
      return (event) => {
        onEvent(event);
        logEvent(event);
      };
    },
  }).catch((error: unknown) => {
    if (stop.signal.aborted) return null;
    throw error;
  });
  if (daemon === null) {
    emit({ type: 'daemon:stopped', signal: String(stop.signal.reason ?? ''), unsentCount: 0 });
    return exitCodes.done;
  }
  process.on('SIGHUP', daemon.reconcileNow);
  const { files, url, listenError } = daemon;
  log('daemon:started', 'daemon started', {
    ...(files.length === 1 ? { file: files[0] } : { files }),
    state: redactUrl(settings.storeUrl),
    emulated: settings.emulate,
    ...(url && { url }),
  });
  if (listenError !== null) log('server:disabled', `no page: ${listenError}`, { hint: 'choose another address with --listen, or off' });
  try {
    const unsentCount = await daemon.done;
    emit({ type: 'daemon:stopped', signal: String(stop.signal.reason ?? ''), unsentCount });
    return exitCodes.done;
  } finally {
    process.off('SIGHUP', daemon.reconcileNow);
  }
}
