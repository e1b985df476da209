import { Cron } from 'croner';

/** The times of a recurring or single event. */
export interface Schedule {
  /** Returns the last occurrence at or before `atMs`, in milliseconds since 1970; `null` if there is none. */
  previousMs(atMs: number): number | null;
  /** Returns the first occurrence after `atMs`, in milliseconds since 1970; `null` if there is none. */
  nextMs(atMs: number): number | null;
  /**
   * Returns the local time of the occurrence at `atMs` as if the clocks had not been put forward over it, in milliseconds as
   * if it were UTC. It distinguishes occurrences that a clock change moved to the same moment.
   */
  wallClockMs(atMs: number): number;
}

const dateTimePattern = /^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d)?(Z|[+-]\d\d:\d\d)?$/;

/** Returns whether `text` has the form of a date and time, not of a cron pattern. */
export function isDateTime(text: string): boolean {
  return dateTimePattern.test(text);
}

/** Parses a date and time with a zone into milliseconds since 1970; `null` if it has no zone or does not exist. */
export function parseDateTimeMs(text: string): number | null {
  const match = dateTimePattern.exec(text);
  if (!match?.[1]) return null;
  const ms = Date.parse(text);
  return Number.isNaN(ms) || !isValidDate(text) ? null : ms;
}

/**
 * Parses a cron pattern, or a date and time, in an IANA time zone. If a clock change repeats a local time, the first one
 * counts, except for hourly patterns. A local time that a clock change skips occurs right after the change; a date is shifted
 * by the length of the change. Throws an Error with a message for people if the text is neither.
 */
export function parseSchedule(text: string, timezone: string): Schedule {
  if (isDateTime(text)) {
    const ms = parseDateTimeMs(text) ?? parseLocalDateTimeMs(text, timezone);
    return { previousMs: (atMs) => (ms <= atMs ? ms : null), nextMs: (atMs) => (atMs < ms ? ms : null), wallClockMs: (atMs) => atMs };
  }
  const cron = parseCron(text, timezone);
  const onWall = parseCron(text, 'UTC');
  return {
    previousMs: (atMs) => cron.previousRuns(1, new Date(atMs + 1))[0]?.getTime() ?? null,
    nextMs: (atMs) => cron.nextRun(new Date(atMs))?.getTime() ?? null,
    wallClockMs: (atMs) =>
      onWall.previousRuns(1, new Date(toWallClockMs(atMs, timezone) + 1))[0]?.getTime() ?? toWallClockMs(atMs, timezone),
  };
}

/** Returns the local time in a time zone at `atMs`, in milliseconds as if it were UTC. */
function toWallClockMs(atMs: number, timezone: string): number {
  const shown = new Intl.DateTimeFormat('sv-SE', { timeZone: timezone, dateStyle: 'short', timeStyle: 'medium' }).format(atMs);
  return Date.parse(`${shown.replace(' ', 'T')}Z`);
}

function parseLocalDateTimeMs(text: string, timezone: string): number {
  const hasZone = dateTimePattern.exec(text)?.[1] !== undefined;
  const run =
    hasZone || !isValidDate(text)
      ? null
      : parseCron(text.length === 'YYYY-MM-DDTHH:MM'.length ? `${text}:00` : text, timezone).nextRun(new Date(0));
  if (!run) throw new Error('this date and time does not exist');
  return run.getTime();
}

/** `Date` accepts the 31st of every month. */
function isValidDate(text: string): boolean {
  const [year = 0, month = 0, day = 0] = text.slice(0, 10).split('-').map(Number);
  const date = new Date(Date.UTC(year, month - 1, day));
  return date.getUTCMonth() === month - 1 && date.getUTCDate() === day && year >= 1970;
}

/**
 * croner accepts more date forms than the file format, and years, after which there is no next occurrence. Both would be
 * freezes that never take effect, so they are rejected.
 */
function parseCron(text: string, timezone: string): Cron {
  const isDate = text.length === 'YYYY-MM-DDTHH:MM:SS'.length && isDateTime(text);
  if (text.includes(':') && !isDate) throw new Error('a date and time must not contain spaces or fractions of a second');
  try {
    return new Cron(text, { paused: true, timezone, mode: '5-or-6-parts' });
  } catch (error) {
    throw new Error(error instanceof Error ? error.message.replace(/^\w+: /, '') : String(error), { cause: error });
  }
}
