import type { components } from '../../generated/edict-file.d.ts';
import type { Freeze, Suspension } from '../model/desired-state.ts';
import { undeclaredEnvironment } from './checks/semantics.ts';
import { closestMatch } from './checks/spelling.ts';
import { FirstDiagnostics, type PathDiagnostic } from './path-diagnostic.ts';
import { isDateTime, parseDateTimeMs, parseSchedule, type Schedule } from './schedule.ts';
import type { KeyPath } from './yaml/source-ranges.ts';
import { isMap } from './yaml/value.ts';

type FreezeWindowBlock = components['schemas']['FreezeWindow'];
type SuspendBlock = components['schemas']['Suspend'];

/**
 * A freeze without a start or end since this time will never have one: cron patterns reach at most four years ahead, to the
 * next 29 February.
 */
const searchStartMs = Date.UTC(2000, 0, 1);

/** The most freezes of a file, and the longest pattern, time or time zone, as in the schema. */
const maxFreezes = 100;
const maxScheduleLength = 255;

/** A window that continues after this many of its ends never ends. */
const maxConsecutiveFreezes = 1000;
/** How many ends of all windows are looked at: each takes a quarter of a millisecond. A window that has none left counts as one that ends. */
const maxEnds = 3000;

/**
 * Checks `freeze` and every `suspend` for errors that a schema cannot detect: invalid times and time zones, a freeze without
 * an end, undeclared environments. Ignores values of the wrong type, which the schema check reports.
 */
export function checkFreeze(file: unknown): readonly PathDiagnostic[] {
  const diagnostics = new FirstDiagnostics();
  const root = isMap(file) ? file : {};
  const environments = isMap(root['environments']) ? root['environments'] : {};
  const declared = new Set(Object.keys(environments));
  const windows = Array.isArray(root['freeze']) ? (root['freeze'] as unknown[]) : [];
  const check: WindowCheck = { declared, diagnostics, endsLeft: maxEnds };
  for (const [index, window] of windows.slice(0, maxFreezes).entries()) {
    if (isMap(window)) checkWindow(window, ['freeze', String(index)], check);
  }
  checkSuspend(root['suspend'], ['suspend'], diagnostics);
  for (const key of ['environments', 'apis']) {
    for (const [name, setting] of Object.entries(isMap(root[key]) ? root[key] : {})) {
      if (isMap(setting)) checkSuspend(setting['suspend'], [key, name, 'suspend'], diagnostics);
    }
  }
  return diagnostics.list;
}

interface WindowCheck {
  readonly declared: ReadonlySet<string>;
  readonly diagnostics: FirstDiagnostics;
  endsLeft: number;
}

function checkWindow(window: Record<string, unknown>, path: KeyPath, check: WindowCheck): void {
  const { declared, diagnostics } = check;
  const { environments } = window;
  for (const [index, name] of Array.isArray(environments) ? environments.entries() : []) {
    if (diagnostics.isFull) return;
    if (typeof name === 'string' && declared.size > 0 && !declared.has(name))
      diagnostics.push(undeclaredEnvironment([...path, 'environments', String(index)], name, [...declared]));
  }
  diagnostics.push(...checkTimes(window, path, check));
}

function checkTimes(window: Record<string, unknown>, path: KeyPath, check: WindowCheck): readonly PathDiagnostic[] {
  const { from, to, timezone = 'UTC' } = window;
  if (typeof from !== 'string' || typeof to !== 'string' || typeof timezone !== 'string' || timezone === '') return [];
  if ([from, to, timezone].some((text) => text.length > maxScheduleLength)) return [];
  if (!isTimeZone(timezone)) return [unknownTimeZone([...path, 'timezone'], timezone)];
  const wrong = (key: string, message: string, hint: string | null = null): readonly PathDiagnostic[] => [
    { path: [...path, key], target: 'value', message, hint },
  ];
  const { diagnostics } = check;
  const [begin, end] = [
    parseScheduleAt([...path, 'from'], { text: from, timezone, diagnostics }),
    parseScheduleAt([...path, 'to'], { text: to, timezone, diagnostics }),
  ];
  if (!begin || !end) return [];
  if (isDateTime(from) !== isDateTime(to))
    return wrong('to', '`from` and `to` have different forms', 'use two cron patterns, or two dates with times');
  const beginMs = begin.nextMs(searchStartMs);
  if (beginMs === null) return wrong('from', `"${from}" never occurs`);
  const endMs = end.nextMs(beginMs);
  if (endMs === null) return wrong('to', isDateTime(from) ? `the freeze ends at ${to}, before it starts` : `"${to}" never occurs`);
  if (isDateTime(from) || hasGap(cacheFreezeEnd(begin, end), beginMs, check)) return [];
  return wrong('to', 'the freeze never ends: whenever it ends, it starts again', 'set a `to` that does not coincide with `from`');
}

/** Returns whether there is a gap between two freezes of a window, as far as that can be found out with the ends that are left. */
function hasGap(endMs: Freeze['endsAtMs'], beginMs: number, check: WindowCheck): boolean {
  let untilMs = endMs(beginMs);
  for (let rounds = 0; untilMs !== null && untilMs < Number.POSITIVE_INFINITY && rounds < maxConsecutiveFreezes; rounds += 1) {
    check.endsLeft -= 1;
    if (check.endsLeft < 0) return true;
    untilMs = endMs(untilMs);
  }
  return untilMs === null;
}

function parseScheduleAt(
  path: KeyPath,
  { text, timezone, diagnostics }: { readonly text: string; readonly timezone: string; readonly diagnostics: FirstDiagnostics },
): Schedule | null {
  try {
    return parseSchedule(text, timezone);
  } catch (error) {
    diagnostics.push({ path, target: 'value', ...describeScheduleError(text, error instanceof Error ? error.message : String(error)) });
    return null;
  }
}

/** Describes a text that is neither a cron pattern nor a date and time. `reason` is that of the cron parser. */
function describeScheduleError(text: string, reason: string): { readonly message: string; readonly hint: string } {
  const message = `"${text}" is neither a cron pattern nor a date and time`;
  const example = 'for example `0 18 * * FRI` or `2026-12-18T18:00`';
  const date = closestDateTime(text) ?? closestCron(text);
  if (date !== null) return { message, hint: `did you mean \`${date}\`?` };
  const fields = text.trim().split(/\s+/).length;
  if (/^[\d*]/.test(text) && fields > 1 && (fields < 5 || fields > 6))
    return { message: `${message}: a cron pattern has five fields, this has ${fields}`, hint: `minute hour day month weekday, ${example}` };
  const [, field, part] = /configuration entry (\d) \((.*)\)/.exec(reason) ?? [];
  if (part !== undefined) {
    const near = field === '5' ? closestMatch(part.slice(0, 3), weekdays) : null;
    const hint = near === null ? example : `did you mean \`${text.replace(part, near)}\`?`;
    return { message: `${message}: \`${part}\` is not valid for the ${cronFields[Number(field) - 1] ?? 'field'}`, hint };
  }
  if (fields === 1 && !isDateTime(text)) return { message, hint: example };
  return { message: `${message}: ${reason.charAt(0).toLowerCase()}${reason.slice(1)}`, hint: example };
}

const cronFields = ['minute', 'hour', 'day', 'month', 'weekday'];
const weekdays = ['MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT', 'SUN'];

/** Returns the cron pattern for a time of the day, or of a day of the week, that is written in words; `null` if it is none. */
function closestCron(text: string): string | null {
  const [, day = '*', hour, minute] = /^(?:([a-z]{3})[a-z]*[, ]+)?([01]?\d|2[0-3]):([0-5]\d)$/i.exec(text.trim()) ?? [];
  if (hour === undefined || (day !== '*' && !weekdays.includes(day.toUpperCase()))) return null;
  return `${Number(minute)} ${Number(hour)} * * ${day.toUpperCase()}`;
}

/** Returns the date and time that a text probably means; `null` if it is none. */
function closestDateTime(text: string): string | null {
  const iso = /^(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?:[T ]+(\d{1,2}):(\d{2}).*)?$/.exec(text.trim());
  const local = /^(\d{1,2})\.(\d{1,2})\.(\d{4})(?:[, ]+(\d{1,2}):(\d{2}).*)?$/.exec(text.trim());
  const [, year, month, day, hour = '00', minute = '00'] =
    iso ?? (local ? [local[0], local[3], local[2], local[1], local[4], local[5]] : []);
  if (year === undefined || month === undefined || day === undefined) return null;
  const date = `${year}-${month.padStart(2, '0')}-${day.padStart(2, '0')}T${hour.padStart(2, '0')}:${minute}`;
  return date !== text && isDateTime(date) ? date : null;
}

function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}

function unknownTimeZone(path: KeyPath, name: string): PathDiagnostic {
  const zones = Intl.supportedValuesOf('timeZone');
  const cities = new Map(zones.map((zone) => [zone.slice(zone.lastIndexOf('/') + 1), zone]));
  const suggestion = closestMatch(name, zones) ?? cities.get(closestMatch(name.replaceAll(' ', '_'), cities.keys()) ?? '') ?? null;
  const hint = suggestion === null ? 'use an IANA name such as Europe/Berlin or UTC' : `did you mean \`${suggestion}\`?`;
  return { path, target: 'value', message: `unknown time zone "${name}"`, hint };
}

function checkSuspend(suspend: unknown, path: KeyPath, diagnostics: FirstDiagnostics): void {
  const until = isMap(suspend) ? suspend['until'] : undefined;
  if (typeof until !== 'string' || parseDateTimeMs(until) !== null) return;
  const local = isDateTime(until) ? until : closestDateTime(until);
  const hint =
    local === null ? 'for example 2026-11-24T08:00Z or 2026-11-24T08:00+01:00' : `write \`${local}Z\`, or another zone such as \`+01:00\``;
  diagnostics.push({ path: [...path, 'until'], target: 'value', message: `"${until}" is not a date and time with a zone`, hint });
}

/** Returns the freezes of a file that passed `checkFreeze`. `idOf` maps environment names to IDs. */
export function parseFreezes(windows: readonly FreezeWindowBlock[] | undefined, idOf: ReadonlyMap<string, string>): Freeze[] {
  return (windows ?? []).map(({ name = null, reason = null, from, to, timezone = 'UTC', environments }) => ({
    name,
    reason,
    environmentIds: environments ? new Set(environments.map((environment) => idOf.get(environment) ?? environment)) : null,
    endsAtMs: cacheFreezeEnd(parseSchedule(from, timezone), parseSchedule(to, timezone)),
  }));
}

/**
 * Caches a freeze's state until it next starts or ends, because evaluating a cron pattern is slow and is needed before every
 * call.
 */
function cacheFreezeEnd(begin: Schedule, end: Schedule): Freeze['endsAtMs'] {
  let cached = { fromMs: 0, toMs: 0, endsAtMs: null as number | null };
  return (nowMs) => {
    if (nowMs < cached.fromMs || cached.toMs <= nowMs) {
      const startedMs = begin.previousMs(nowMs);
      const endMs = startedMs === null ? null : end.nextMs(startedMs);
      const isOn = startedMs !== null && (endMs === null || nowMs < endMs) && !isSkippedByClockChange(startedMs, begin, end);
      const nextMs = isOn ? endMs : begin.nextMs(nowMs);
      cached = { fromMs: nowMs, toMs: nextMs ?? Number.POSITIVE_INFINITY, endsAtMs: isOn ? (endMs ?? Number.POSITIVE_INFINITY) : null };
    }
    return cached.endsAtMs;
  };
}

/** Returns whether a clock change skipped a whole freeze: its start and end then fall on one moment, and it is not active. */
function isSkippedByClockChange(startedMs: number, begin: Schedule, end: Schedule): boolean {
  return end.previousMs(startedMs) === startedMs && begin.wallClockMs(startedMs) < end.wallClockMs(startedMs);
}

/** Returns the suspension in a checked file; `null` if there is none. */
export function parseSuspension(block: SuspendBlock | undefined): Suspension | null {
  if (!block) return null;
  const { reason, by = null, until } = block;
  return { reason, by, sinceMs: null, untilMs: until === undefined ? null : parseDateTimeMs(until) };
}
