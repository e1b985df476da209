import type { Emit } from '../model/events.ts';
import type { LogOptions } from '../model/settings.ts';

/** The log of a running command. */
export interface CommandLogger {
  readonly emit: Emit;
  /** Returns an emitter that adds `file` to every line, for a daemon with several files. */
  forFile(file: string): Emit;
  /** Logs a line that is not a controller event. */
  log(event: string, message: string, fields: Readonly<Record<string, unknown>>): void;
}

/** Returns the log, which records the controller's events. `write` takes its bytes instead of stderr. */
export async function openCommandLogger(options: LogOptions, write?: (bytes: Buffer) => number): Promise<CommandLogger> {
  const { logEvents, openLogger } = await import('../telemetry/log.ts');
  const logger = await openLogger(options, write);
  return {
    emit: logEvents(logger),
    forFile: (file) => logEvents(logger.child({ file })),
    log: (event, message, fields) => logger.info({ event, ...fields }, message),
  };
}
