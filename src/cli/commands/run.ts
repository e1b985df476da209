import { openCommandLogger } from '../../app/command-logger.ts';
import { createAppContext } from '../../app/context.ts';
import { startDaemon } from '../../app/daemon.ts';
import { type ExitCode, exitCodes } from '../../model/errors.ts';
import type { LogFormat, LogLevel } from '../../model/log-options.ts';
import type { DaemonSettings, Settings } from '../../model/settings.ts';
import { redactUrl } from '../../model/store-url.ts';
import type { CliContext } from '../context.ts';
import { onStopSignal } from '../signals.ts';

export interface RunOptions {
  readonly logLevel: LogLevel;
  readonly logFormat?: LogFormat;
}

/** Runs the daemon for the files that `paths` name until SIGTERM or SIGINT; SIGHUP triggers a reconciliation. Returns 0. */
export async function run(
  settings: Settings,
  paths: readonly string[],
  daemonSettings: DaemonSettings,
  options: RunOptions,
  context: CliContext,
): Promise<ExitCode> {
  const { emit, forFile, log } = await openCommandLogger({
    level: options.logLevel,
    format: options.logFormat ?? (context.stderr.isTTY ? 'pretty' : 'json'),
  });
  using stop = onStopSignal();
  const daemon = await startDaemon(createAppContext(settings, context.env, { signal: stop.signal }), {
    ...daemonSettings,
    paths,
    logFor: (file, isSingleFile) => (isSingleFile ? emit : forFile(file)),
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
  if (listenError !== null) log('server:disabled', `no page: ${listenError}`, { hint: 'name another address with --listen, or off' });
  try {
    const unsentCount = await daemon.done;
    emit({ type: 'daemon:stopped', signal: String(stop.signal.reason ?? ''), unsentCount });
    return exitCodes.done;
  } finally {
    process.off('SIGHUP', daemon.reconcileNow);
  }
}
