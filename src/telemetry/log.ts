/*
 * Telemetry turns the controller's events into logs, metrics, traces and webhook notices; this file is the log. It must never delay or fail a
 * reconciliation, feed anything back into the controller, or print secrets.
 */
import { type Logger, pino } from 'pino';
import type { EdictEvent, Emit } from '../model/events.ts';
import type { LogOptions } from '../model/settings.ts';
import { escapeJson } from '../model/visible.ts';
import { LogDestination } from './log-destination.ts';
import { type FieldOptions, fieldsFor, messageFor } from './log-messages.ts';
import { RepeatFilter } from './repeat-filter.ts';

/**
 * Opens a log with one line per event on stderr, unless `write` takes its bytes. Lines are written synchronously, so that a crash loses none while
 * stderr is read.
 */
export async function openLogger({ level, format }: LogOptions, write?: (bytes: Buffer) => number): Promise<Logger> {
  const prettify = format === 'pretty' ? (await import('./pretty-log.ts')).createPrettifier(process.stderr) : null;
  const destination = new LogDestination({
    onDropped: (lines) => logger.warn({ event: 'log:dropped', lines }, 'log lines were dropped because stderr did not take them'),
    ...(write && { write }),
  });
  process.once('exit', () => destination.flush());
  const writeLine = (line: string): void => destination.write(prettify ? prettify(line) : escapeJson(line));
  const logger: Logger = pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, { write: writeLine });
  return logger;
}

export interface LogEventsOptions extends FieldOptions {
  readonly monotonicMs?: () => number;
  /** Completes the commands in a hint for the file and the store of the daemon; default: they stay as they are. */
  readonly complete?: (text: string) => string;
}

/**
 * Returns a subscriber that logs every event, with its stable name in the field `event`. An error that repeats is logged with a growing
 * interval; `skipped` says how often it was left out before.
 */
export function logEvents(
  log: Logger,
  { monotonicMs = () => performance.now(), complete = (text) => text, ...options }: LogEventsOptions = {},
): Emit {
  const filter = new RepeatFilter(monotonicMs);
  return (event) => {
    const error = repeatableError(event);
    const skipped = error === null ? 0 : filter.pass(error);
    if (skipped === null) return;
    const { level, message } = messageFor(event);
    log[level]({ event: event.type, ...completeHints(fieldsFor(event, options), complete), ...(skipped > 0 && { skipped }) }, message);
  };
}

/** Returns the fields with the commands in their hints completed, also in those of the errors of a file. */
function completeHints(fields: Record<string, unknown>, complete: (text: string) => string): Record<string, unknown> {
  const { hint, errors } = fields;
  return {
    ...fields,
    ...(typeof hint === 'string' && { hint: complete(hint) }),
    ...(Array.isArray(errors) && { errors: errors.map((error: Record<string, unknown>) => completeHints(error, complete)) }),
  };
}

/** Returns a text that is the same for the same error; `null` for an event that is logged each time. */
function repeatableError(event: EdictEvent): string | null {
  if (event.type === 'gateway:observe_failed') return `${event.type} ${event.reason}`;
  if (event.type === 'token:refused') return `${event.type} ${event.address}`;
  return event.type === 'store:error' || event.type === 'reconcile:failed' ? `${event.type} ${event.message}` : null;
}
