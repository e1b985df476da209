import { type ExitCode, exitCodes } from '../model/errors.ts';

/** A signal that the first SIGINT or SIGTERM aborts. */
export interface StopSignal extends Disposable {
  readonly signal: AbortSignal;
}

/** A single Ctrl-C can arrive twice within this time: from the terminal and from npm. */
const duplicateSignalMs = 1000;

/**
 * Handles SIGINT and SIGTERM until disposed. The first one aborts `signal`, with its name as the reason, for an orderly end. One that
 * arrives more than a second later ends the process immediately; attempts in flight then have an unknown outcome.
 */
export function onStopSignal(): StopSignal {
  const controller = new AbortController();
  let firstAtMs: number | null = null;
  const stop = (name: NodeJS.Signals): void => {
    if (firstAtMs === null) {
      firstAtMs = Date.now();
      controller.abort(name);
    } else if (Date.now() - firstAtMs > duplicateSignalMs) {
      release();
      process.kill(process.pid, name);
    }
  };
  const release = (): void => {
    process.off('SIGINT', stop);
    process.off('SIGTERM', stop);
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  return { signal: controller.signal, [Symbol.dispose]: release };
}

/** Returns the exit code of a command that the first signal ended before its time: 130 for Ctrl-C, as shells count it. */
export function exitCodeOfStop(signal: AbortSignal): ExitCode {
  return signal.reason === 'SIGINT' ? exitCodes.interrupted : exitCodes.error;
}
