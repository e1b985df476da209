import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { isDateTime, parseDateTimeMs, parseSchedule } from '../../src/source/schedule.ts';
import { fc, runs } from '../support/fast-check.ts';

const test = suite('calendar');
const at = (text: string): number => Date.parse(text);
const iso = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString());

test('a cron pattern recurs in its time zone', () => {
  const { previousMs, nextMs } = parseSchedule('0 18 * * FRI', 'Europe/Berlin');
  assert.is(iso(nextMs(at('2026-11-20T16:59:59Z'))), '2026-11-20T17:00:00.000Z');
  assert.is(iso(nextMs(at('2026-11-20T17:00:00Z'))), '2026-11-27T17:00:00.000Z');
  assert.is(iso(previousMs(at('2026-11-20T17:00:00Z'))), '2026-11-20T17:00:00.000Z');
  assert.is(iso(previousMs(at('2026-11-20T16:59:59Z'))), '2026-11-13T17:00:00.000Z');
  assert.is(iso(nextMs(at('2026-07-01T00:00:00Z'))), '2026-07-03T16:00:00.000Z', 'in summer');
});

test('a date and time occurs once, in its time zone or in the one that it names', () => {
  const berlin = parseSchedule('2026-12-18T18:00', 'Europe/Berlin');
  assert.is(iso(berlin.nextMs(0)), '2026-12-18T17:00:00.000Z');
  assert.is(berlin.nextMs(at('2026-12-18T17:00Z')), null);
  assert.is(iso(berlin.previousMs(at('2026-12-18T17:00Z'))), '2026-12-18T17:00:00.000Z');
  assert.is(berlin.previousMs(at('2026-12-18T16:59:59Z')), null);
  assert.is(iso(parseSchedule('2026-12-18T18:00:30+05:30', 'Europe/Berlin').nextMs(0)), '2026-12-18T12:30:30.000Z');
});

test('a clock change neither skips nor repeats an occurrence', () => {
  const daily = parseSchedule('30 2 * * *', 'Europe/Berlin');
  const runs = (from: string, to: string): number => {
    let count = 0;
    for (let ms = daily.nextMs(at(from)); ms !== null && ms < at(to); ms = daily.nextMs(ms)) count += 1;
    return count;
  };
  assert.is(runs('2026-03-27T12:00Z', '2026-03-31T12:00Z'), 4);
  assert.is(runs('2026-10-23T12:00Z', '2026-10-27T12:00Z'), 4);
});

test('other text is rejected with a reason', () => {
  for (const [text, reason] of [
    ['', /format/],
    ['61 * * * *', /minute: 61/],
    ['every friday', /format/],
    ['2026-02-31T10:00', /date and time does not exist/],
    ['2026-12-18T25:00', /./],
    ['2026-12-18T10:00+99:00', /date and time does not exist/],
  ] as const) {
    try {
      parseSchedule(text, 'UTC');
      assert.unreachable(text);
    } catch (error) {
      assert.match(error instanceof Error ? error.message : '', reason);
    }
  }
});

test('occurs at the minutes that an independent clock shows, on every day of a clock change', () => {
  const patterns: readonly [string, (hour: number, minute: number, day: string) => boolean][] = [
    ['30 2 * * *', (hour, minute) => hour === 2 && minute === 30],
    ['0 2 * * SUN', (hour, minute, day) => hour === 2 && minute === 0 && day === 'Sun'],
    ['0 3 * * *', (hour, minute) => hour === 3 && minute === 0],
    ['45 1 * * *', (hour, minute) => hour === 1 && minute === 45],
    ['0 0 * * *', (hour, minute) => hour === 0 && minute === 0],
    ['0 18 * * FRI', (hour, minute, day) => hour === 18 && minute === 0 && day === 'Fri'],
  ];
  const changes: readonly [string, string][] = [
    ['Europe/Berlin', '2026-03-29T01:00Z'],
    ['Europe/Berlin', '2026-10-25T01:00Z'],
    ['America/New_York', '2026-03-08T07:00Z'],
    ['America/New_York', '2026-11-01T06:00Z'],
    ['Australia/Lord_Howe', '2026-04-04T15:00Z'],
    ['Australia/Lord_Howe', '2026-10-03T15:30Z'],
    ['Africa/Cairo', '2026-04-23T22:00Z'],
    ['Africa/Cairo', '2026-10-29T21:00Z'],
  ];
  for (const [zone, change] of changes) {
    const startMs = at(change) - 86_400_000;
    const shown = minutesOf(zone, startMs, startMs + 2 * 86_400_000);
    for (const [pattern, matches] of patterns) {
      const expected = comingOf(shown, matches);
      const calendar = parseSchedule(pattern, zone);
      const found: number[] = [];
      for (let ms = calendar.nextMs(startMs - 1); ms !== null && ms < startMs + 2 * 86_400_000; ms = calendar.nextMs(ms)) found.push(ms);
      assert.equal(found.map(iso), expected.map(iso), `${pattern} in ${zone} around ${change}`);
      const backwards: number[] = [];
      for (let ms = calendar.previousMs(startMs + 2 * 86_400_000 - 1); ms !== null && ms >= startMs; ms = calendar.previousMs(ms - 1))
        backwards.unshift(ms);
      assert.equal(backwards, found, `${pattern} in ${zone} around ${change}, backwards`);
    }
  }
});

test('the wall clock tells apart the times that a clock change skipped', () => {
  const summerMs = at('2026-03-29T01:00Z');
  for (const [pattern, expected] of [
    ['0 2 * * *', '2026-03-29T02:00Z'],
    ['30 2 * * *', '2026-03-29T02:30Z'],
    ['0 3 * * *', '2026-03-29T03:00Z'],
  ] as const) {
    const calendar = parseSchedule(pattern, 'Europe/Berlin');
    assert.is(calendar.previousMs(summerMs), summerMs, pattern);
    assert.is(iso(calendar.wallClockMs(summerMs)), iso(at(expected)), pattern);
  }
});

test('a date and time requires a zone', () => {
  assert.is(parseDateTimeMs('2026-11-24T08:00Z'), at('2026-11-24T08:00:00Z'));
  assert.is(parseDateTimeMs('2026-11-24T08:00+01:00'), at('2026-11-24T07:00:00Z'));
  for (const text of ['2026-11-24T08:00', '2026-02-31T08:00Z', '2026-11-24', 'soon', '2026-11-24T24:61Z'])
    assert.is(parseDateTimeMs(text), null, text);
  assert.ok(isDateTime('2026-11-24T08:00'));
  assert.not.ok(isDateTime('0 18 * * FRI'));
});

test('the previous run is never later, the next never earlier, and no run is between', () => {
  const patterns = fc.constantFrom('0 18 * * FRI', '30 2 * * *', '*/7 * * * *', '0 0 1 * *', '15 3 29 2 *', '0 2 * * SUN');
  const zones = fc.constantFrom('UTC', 'Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'Asia/Kolkata');
  fc.assert(
    fc.property(patterns, zones, fc.integer({ min: at('2024-01-01'), max: at('2030-01-01') }), (pattern, zone, nowMs) => {
      const { previousMs, nextMs } = parseSchedule(pattern, zone);
      const [last, first] = [previousMs(nowMs), nextMs(nowMs)];
      assert.ok(last !== null && first !== null && last <= nowMs && nowMs < first);
      assert.is(nextMs(last), first);
      assert.is(previousMs(first), first);
    }),
    { numRuns: runs(300) },
  );
});

interface Minute {
  readonly ms: number;
  /** Minutes of the day. */
  readonly wall: number;
  readonly day: string;
}

/** The local time of a zone, minute by minute. */
function minutesOf(zone: string, fromMs: number, toMs: number): Minute[] {
  const clock = new Intl.DateTimeFormat('en-GB', {
    timeZone: zone,
    hourCycle: 'h23',
    hour: '2-digit',
    minute: '2-digit',
    weekday: 'short',
  });
  return Array.from({ length: (toMs - fromMs) / 60_000 }, (_, index) => {
    const ms = fromMs + index * 60_000;
    const [, day = '', hour, minute] = /^(\w+),? (\d+):(\d+)$/.exec(clock.format(ms)) ?? [];
    return { ms, wall: Number(hour) * 60 + Number(minute), day };
  });
}

/** The first of an ambiguous local time; for one skipped when clocks go forward, the end of the gap. */
function comingOf(minutes: readonly Minute[], matches: (hour: number, minute: number, day: string) => boolean): number[] {
  const does = (wall: number, day: string): boolean => matches(Math.floor(wall / 60), wall % 60, day);
  return minutes.flatMap(({ ms, wall, day }, index) => {
    const before = minutes[index - 1];
    const leftOut = before ? (wall - before.wall - 1 + 1440) % 1440 : 0;
    const isForward = leftOut > 0 && leftOut <= 120;
    const isSkipped =
      isForward && Array.from({ length: leftOut }, (_, back) => wall - 1 - back).some((missed) => does((missed + 1440) % 1440, day));
    const isRepeated = minutes.slice(Math.max(0, index - 180), index).some((earlier) => earlier.wall === wall && earlier.day === day);
    return isSkipped || (does(wall, day) && !isRepeated) ? [ms] : [];
  });
}

test.run();
