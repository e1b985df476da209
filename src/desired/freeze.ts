import type { components } from '../../generated/edict-file.d.ts';
import type { Freeze, Suspension } from '../core/publication.ts';
import { type Calendar, calendarOf, isMoment, momentMs } from './calendar.ts';
import { undeclared } from './check-meaning.ts';
import type { Finding } from './finding.ts';
import { nearest } from './nearest.ts';
import type { Path } from './positions.ts';
import { isMap } from './yaml-value.ts';

type WrittenWindow = components['schemas']['FreezeWindow'];
type WrittenSuspend = components['schemas']['Suspend'];

/** A freeze that has not begun or ended once since then never will; cron patterns reach four years at most, to the next 29 February. */
const sometimeMs = Date.UTC(2000, 0, 1);

/** A window that has gone on after so many of its ends goes on for ever. */
const mostInARow = 1000;

/**
 * Returns what no schema can see in `freeze` and in every `suspend`: times and time zones that are none, a freeze without an end,
 * environments that are not declared. Looks past values whose shape is wrong.
 */
export function checkFreeze(file: unknown): Finding[] {
  const root = isMap(file) ? file : {};
  const environments = isMap(root['environments']) ? root['environments'] : {};
  const declared = Object.keys(environments);
  const windows = Array.isArray(root['freeze']) ? (root['freeze'] as unknown[]) : [];
  return [
    ...windows.flatMap((window, index) => (isMap(window) ? checkWindow(window, ['freeze', String(index)], declared) : [])),
    ...checkSuspend(root['suspend'], ['suspend']),
    ...Object.entries(environments).flatMap(([name, setting]) => checkSuspendOf(setting, ['environments', name])),
    ...Object.entries(isMap(root['apis']) ? root['apis'] : {}).flatMap(([name, setting]) => checkSuspendOf(setting, ['apis', name])),
  ];
}

function checkWindow(window: Record<string, unknown>, path: Path, declared: readonly string[]): Finding[] {
  const { from, to, timezone = 'UTC', environments } = window;
  const named = Array.isArray(environments) ? (environments as unknown[]) : [];
  const findings: Finding[] = named.flatMap((name, index) =>
    typeof name !== 'string' || declared.includes(name)
      ? []
      : [{ ...undeclared([...path, 'environments', String(index)], name, declared), at: 'value' as const }],
  );
  if (typeof from !== 'string' || typeof to !== 'string' || typeof timezone !== 'string' || timezone === '') return findings;
  if (!isZone(timezone)) return [...findings, noZone([...path, 'timezone'], timezone)];
  const [begin, end] = [calendarAt('from', from, timezone, path, findings), calendarAt('to', to, timezone, path, findings)];
  if (!begin || !end) return findings;
  if (isMoment(from) !== isMoment(to)) {
    const hint = 'two cron patterns, or two dates with their times';
    return [...findings, { path: [...path, 'to'], at: 'value', message: '`from` and `to` are not of one form', hint }];
  }
  const beginMs = begin.firstAfter(sometimeMs);
  if (beginMs === null) return [...findings, { path: [...path, 'from'], at: 'value', message: `"${from}" never comes`, hint: null }];
  const endMs = end.firstAfter(beginMs);
  if (endMs === null) {
    const message = isMoment(from) ? `the freeze ends at ${to}, before it begins` : `"${to}" never comes`;
    return [...findings, { path: [...path, 'to'], at: 'value', message, hint: null }];
  }
  if (isMoment(from) || isOnceOver(remembering(begin, end), beginMs)) return findings;
  const hint = 'a `to` that comes when `from` does not';
  return [
    ...findings,
    { path: [...path, 'to'], at: 'value', message: 'the freeze is never over: whenever it ends, it begins again', hint },
  ];
}

/** Whether there is a time between two freezes of a window. */
function isOnceOver(endMs: Freeze['endMs'], beginMs: number): boolean {
  let untilMs = endMs(beginMs);
  for (let rounds = 0; untilMs !== null && untilMs < Number.POSITIVE_INFINITY && rounds < mostInARow; rounds += 1) untilMs = endMs(untilMs);
  return untilMs === null;
}

function calendarAt(key: string, text: string, timezone: string, path: Path, findings: Finding[]): Calendar | null {
  try {
    return calendarOf(text, timezone);
  } catch (error) {
    const message = `"${text}" is neither a cron pattern nor a date and time: ${error instanceof Error ? error.message : String(error)}`;
    findings.push({ path: [...path, key], at: 'value', message, hint: 'such as `0 18 * * FRI` or `2026-12-18T18:00`' });
    return null;
  }
}

function isZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}

function noZone(path: Path, name: string): Finding {
  const zones = Intl.supportedValuesOf('timeZone');
  const cities = new Map(zones.map((zone) => [zone.slice(zone.lastIndexOf('/') + 1), zone]));
  const near = nearest(name, zones) ?? cities.get(nearest(name.replaceAll(' ', '_'), cities.keys()) ?? '') ?? null;
  const hint = near === null ? 'a name such as Europe/Berlin or UTC' : `did you mean \`${near}\`?`;
  return { path, at: 'value', message: `there is no time zone "${name}"`, hint };
}

function checkSuspendOf(setting: unknown, path: Path): Finding[] {
  return isMap(setting) ? checkSuspend(setting['suspend'], [...path, 'suspend']) : [];
}

function checkSuspend(suspend: unknown, path: Path): Finding[] {
  const until = isMap(suspend) ? suspend['until'] : undefined;
  if (typeof until !== 'string' || momentMs(until) !== null) return [];
  const hint = 'such as 2026-11-24T08:00Z or 2026-11-24T08:00+01:00';
  return [{ path: [...path, 'until'], at: 'value', message: `"${until}" is not a date and time with its zone`, hint }];
}

/** Returns the freezes of a file that `checkFreeze` has found right; `idOf` are the IDs of its environments. */
export function freezesOf(windows: readonly WrittenWindow[] | undefined, idOf: ReadonlyMap<string, string>): Freeze[] {
  return (windows ?? []).map(({ name = null, reason = null, from, to, timezone = 'UTC', environments }) => ({
    name,
    reason,
    environmentIds: environments ? new Set(environments.map((environment) => idOf.get(environment) ?? environment)) : null,
    endMs: remembering(calendarOf(from, timezone), calendarOf(to, timezone)),
  }));
}

/** A calendar takes its time, and is asked before every call: what it said holds until the freeze begins or ends. */
function remembering(begin: Calendar, end: Calendar): Freeze['endMs'] {
  let holds = { fromMs: 0, toMs: 0, endMs: null as number | null };
  return (nowMs) => {
    if (nowMs < holds.fromMs || holds.toMs <= nowMs) {
      const begunMs = begin.lastUntil(nowMs);
      const endMs = begunMs === null ? null : end.firstAfter(begunMs);
      const isOn = begunMs !== null && (endMs === null || nowMs < endMs) && !isLeftOut(begunMs, begin, end);
      const nextMs = isOn ? endMs : begin.firstAfter(nowMs);
      holds = { fromMs: nowMs, toMs: nextMs ?? Number.POSITIVE_INFINITY, endMs: isOn ? (endMs ?? Number.POSITIVE_INFINITY) : null };
    }
    return holds.endMs;
  };
}

/** Whether the clocks were put forward over a whole freeze: it begins and ends at one moment then, and is not on. */
function isLeftOut(begunMs: number, begin: Calendar, end: Calendar): boolean {
  return end.lastUntil(begunMs) === begunMs && begin.wallMs(begunMs) < end.wallMs(begunMs);
}

/** Returns the suspension that a checked file writes; `null` if there is none. */
export function suspensionOf(written: WrittenSuspend | undefined): Suspension | null {
  if (!written) return null;
  const { reason, by = null, until } = written;
  return { reason, by, untilMs: until === undefined ? null : momentMs(until) };
}
