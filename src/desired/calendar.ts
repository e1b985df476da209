import { Cron } from 'croner';

/** When something that comes again and again, or once, happens. */
export interface Calendar {
  /** Returns the last moment at or before `atMs`, in milliseconds since 1970; `null` if there is none. */
  lastUntil(atMs: number): number | null;
  /** Returns the first moment after `atMs`, in milliseconds since 1970; `null` if there is none. */
  firstAfter(atMs: number): number | null;
  /**
   * Returns what clocks on the wall would show at the moment `atMs` of this calendar if they had not been put forward over it, in
   * milliseconds as if that were UTC. It tells apart what a change of the clocks has brought together.
   */
  wallMs(atMs: number): number;
}

const momentForm = /^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d)?(Z|[+-]\d\d:\d\d)?$/;

/** Returns whether `text` has the form of a date and time, not of a cron pattern. */
export function isMoment(text: string): boolean {
  return momentForm.test(text);
}

/** Returns a date and time that names its zone, in milliseconds since 1970; `null` if it does not, or there is no such moment. */
export function momentMs(text: string): number | null {
  const match = momentForm.exec(text);
  if (!match?.[1]) return null;
  const ms = Date.parse(text);
  return Number.isNaN(ms) || !isDay(text) ? null : ms;
}

/**
 * Returns the calendar of a cron pattern or of a date and time, in a time zone by its IANA name. Of a time that a change of the clocks
 * repeats the first counts, but for patterns that come every hour. One that is left out comes when the clocks have been put forward, a
 * date as much later. Throws an Error with a message for a person if it is neither.
 */
export function calendarOf(text: string, timezone: string): Calendar {
  if (isMoment(text)) {
    const ms = momentMs(text) ?? localMs(text, timezone);
    return { lastUntil: (atMs) => (ms <= atMs ? ms : null), firstAfter: (atMs) => (atMs < ms ? ms : null), wallMs: (atMs) => atMs };
  }
  const cron = cronOf(text, timezone);
  const onWall = cronOf(text, 'UTC');
  return {
    lastUntil: (atMs) => cron.previousRuns(1, new Date(atMs + 1))[0]?.getTime() ?? null,
    firstAfter: (atMs) => cron.nextRun(new Date(atMs))?.getTime() ?? null,
    wallMs: (atMs) => onWall.previousRuns(1, new Date(shownMs(atMs, timezone) + 1))[0]?.getTime() ?? shownMs(atMs, timezone),
  };
}

/** Returns what clocks of a time zone show at `atMs`, in milliseconds as if that were UTC. */
function shownMs(atMs: number, timezone: string): number {
  const shown = new Intl.DateTimeFormat('sv-SE', { timeZone: timezone, dateStyle: 'short', timeStyle: 'medium' }).format(atMs);
  return Date.parse(`${shown.replace(' ', 'T')}Z`);
}

function localMs(text: string, timezone: string): number {
  const hasZone = momentForm.exec(text)?.[1] !== undefined;
  const run =
    hasZone || !isDay(text) ? null : cronOf(text.length === 'YYYY-MM-DDTHH:MM'.length ? `${text}:00` : text, timezone).nextRun(new Date(0));
  if (!run) throw new Error('there is no such date and time');
  return run.getTime();
}

/** `Date` takes the 31st of every month for a day. */
function isDay(text: string): boolean {
  const [year = 0, month = 0, day = 0] = text.slice(0, 10).split('-').map(Number);
  const date = new Date(Date.UTC(year, month - 1, day));
  return date.getUTCMonth() === month - 1 && date.getUTCDate() === day && year >= 1970;
}

/** croner reads more forms of dates than this file has, and years, after which there is no next time: both would be freezes that are none. */
function cronOf(text: string, timezone: string): Cron {
  const isDate = text.length === 'YYYY-MM-DDTHH:MM:SS'.length && isMoment(text);
  if (text.includes(':') && !isDate) throw new Error('a date and time has no space in it and no part of a second');
  try {
    return new Cron(text, { paused: true, timezone, mode: '5-or-6-parts' });
  } catch (error) {
    throw new Error(error instanceof Error ? error.message.replace(/^\w+: /, '') : String(error), { cause: error });
  }
}
