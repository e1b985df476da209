import { openLog } from '../app.ts';
import type { DaemonSettings, Settings } from '../config.ts';
import { type ExitCode, exitCodes } from '../core/errors.ts';
import type { LogFormat, LogLevel } from '../core/log-options.ts';
import { shownAddress } from '../core/store-address.ts';
import { startDaemon } from '../daemon.ts';
import type { Context } from './context.ts';
import { onStopSignal } from './signals.ts';

export interface RunOptions {
  readonly logLevel: LogLevel;
  readonly logFormat?: LogFormat;
}

/** Runs the daemon over the files that `paths` name until SIGTERM or SIGINT; SIGHUP asks for a pass now. Returns 0. */
export async function run(
  settings: Settings,
  paths: readonly string[],
  times: DaemonSettings,
  options: RunOptions,
  context: Context,
): Promise<ExitCode> {
  const { emit, of, note } = await openLog({
    level: options.logLevel,
    format: options.logFormat ?? (context.stderr.isTTY ? 'pretty' : 'json'),
  });
  using stop = onStopSignal();
  const daemon = await startDaemon(
    settings,
    paths,
    times,
    context.environment,
    (file, isOne) => (isOne ? emit : of(file)),
    stop.signal,
  ).catch((error: unknown) => {
    if (stop.signal.aborted) return null;
    throw error;
  });
  if (daemon === null) {
    emit({ type: 'daemon:stopped', signal: String(stop.signal.reason ?? ''), left: 0 });
    return exitCodes.done;
  }
  process.on('SIGHUP', daemon.passNow);
  stop.signal.addEventListener('abort', daemon.stop);
  // It may have come while the daemon was being opened.
  if (stop.signal.aborted) daemon.stop();
  const { files, url, unheard } = daemon;
  note('daemon:started', 'daemon started', {
    ...(files.length === 1 ? { file: files[0] } : { files }),
    state: shownAddress(settings.state),
    emulated: settings.emulate,
    ...(url && { url }),
  });
  if (unheard !== null) note('page:missing', `no page: ${unheard}`, { hint: 'name another address with --listen, or off' });
  try {
    const left = await daemon.ended;
    emit({ type: 'daemon:stopped', signal: String(stop.signal.reason ?? ''), left });
    return exitCodes.done;
  } finally {
    process.off('SIGHUP', daemon.passNow);
  }
}
