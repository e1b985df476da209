import type { PlanHolds } from '../model/change.ts';
import type { Emit } from '../model/events.ts';
import type { LogOptions, Settings } from '../model/settings.ts';
import { approveCommand, completeCommands } from '../render/command-line.ts';

/** The log of a running command. */
export interface CommandLogger {
  readonly emit: Emit;
  /** Returns an emitter that adds `file` to every line, for a daemon with several files. */
  forFile(file: string): Emit;
  /** Logs a line that is not a controller event. */
  log(event: string, message: string, fields: Readonly<Record<string, unknown>>): void;
}

/** Returns the log, which records the controller's events. `settings` appear in the commands that it names. `write` takes its bytes instead of stderr. */
export async function openCommandLogger(
  options: LogOptions,
  settings: Settings,
  write?: (bytes: Buffer) => number,
): Promise<CommandLogger> {
  const { logEvents, openLogger } = await import('../telemetry/log.ts');
  const logger = await openLogger(options, write);
  const commandsOf = (of: Settings) => ({
    approveCommand: (holds: PlanHolds) => approveCommand(holds, { ...of, targets: holds.targets }),
    complete: (text: string) => completeCommands(text, of),
  });
  const eventLogger = settings.emulate ? logger.child({ emulated: true }) : logger;
  const isForTerminal = options.format === 'pretty';
  return {
    emit: logEvents(eventLogger, { ...commandsOf(settings), isForTerminal }),
    forFile: (file) => logEvents(eventLogger.child({ file }), { ...commandsOf({ ...settings, file }), isForTerminal }),
    log: (event, message, fields) => logger.info({ event, ...fields }, message),
  };
}
