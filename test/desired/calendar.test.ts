import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { calendarOf, isMoment, momentMs } from '../../src/desired/calendar.ts';

const test = suite('calendar');
const at = (text: string): number => Date.parse(text);
const iso = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString());

test('a cron pattern comes again and again, in its time zone', () => {
  const { lastUntil, firstAfter } = calendarOf('0 18 * * FRI', 'Europe/Berlin');
  assert.is(iso(firstAfter(at('2026-11-20T16:59:59Z'))), '2026-11-20T17:00:00.000Z');
  assert.is(iso(firstAfter(at('2026-11-20T17:00:00Z'))), '2026-11-27T17:00:00.000Z');
  assert.is(iso(lastUntil(at('2026-11-20T17:00:00Z'))), '2026-11-20T17:00:00.000Z');
  assert.is(iso(lastUntil(at('2026-11-20T16:59:59Z'))), '2026-11-13T17:00:00.000Z');
  assert.is(iso(firstAfter(at('2026-07-01T00:00:00Z'))), '2026-07-03T16:00:00.000Z', 'in summer');
});

test('a date and time comes once, in its time zone or in the one that it names', () => {
  const berlin = calendarOf('2026-12-18T18:00', 'Europe/Berlin');
  assert.is(iso(berlin.firstAfter(0)), '2026-12-18T17:00:00.000Z');
  assert.is(berlin.firstAfter(at('2026-12-18T17:00Z')), null);
  assert.is(iso(berlin.lastUntil(at('2026-12-18T17:00Z'))), '2026-12-18T17:00:00.000Z');
  assert.is(berlin.lastUntil(at('2026-12-18T16:59:59Z')), null);
  assert.is(iso(calendarOf('2026-12-18T18:00:30+05:30', 'Europe/Berlin').firstAfter(0)), '2026-12-18T12:30:30.000Z');
});

test('a clock that is put forward or back leaves nothing out and repeats nothing', () => {
  const daily = calendarOf('30 2 * * *', 'Europe/Berlin');
  const runs = (from: string, to: string): number => {
    let count = 0;
    for (let ms = daily.firstAfter(at(from)); ms !== null && ms < at(to); ms = daily.firstAfter(ms)) count += 1;
    return count;
  };
  assert.is(runs('2026-03-27T12:00Z', '2026-03-31T12:00Z'), 4);
  assert.is(runs('2026-10-23T12:00Z', '2026-10-27T12:00Z'), 4);
});

test('what is neither is refused with a reason', () => {
  for (const [text, reason] of [
    ['', /format/],
    ['61 * * * *', /minute: 61/],
    ['every friday', /format/],
    ['2026-02-31T10:00', /no such date/],
    ['2026-12-18T25:00', /./],
    ['2026-12-18T10:00+99:00', /no such date/],
  ] as const) {
    try {
      calendarOf(text, 'UTC');
      assert.unreachable(text);
    } catch (error) {
      assert.match(error instanceof Error ? error.message : '', reason);
    }
  }
});

test('a moment names its zone', () => {
  assert.is(momentMs('2026-11-24T08:00Z'), at('2026-11-24T08:00:00Z'));
  assert.is(momentMs('2026-11-24T08:00+01:00'), at('2026-11-24T07:00:00Z'));
  for (const text of ['2026-11-24T08:00', '2026-02-31T08:00Z', '2026-11-24', 'soon', '2026-11-24T24:61Z'])
    assert.is(momentMs(text), null, text);
  assert.ok(isMoment('2026-11-24T08:00'));
  assert.not.ok(isMoment('0 18 * * FRI'));
});

test('the last run is never later, the first never earlier, and nothing is between', () => {
  const patterns = fc.constantFrom('0 18 * * FRI', '30 2 * * *', '*/7 * * * *', '0 0 1 * *', '15 3 29 2 *', '0 2 * * SUN');
  const zones = fc.constantFrom('UTC', 'Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'Asia/Kolkata');
  fc.assert(
    fc.property(patterns, zones, fc.integer({ min: at('2024-01-01'), max: at('2030-01-01') }), (pattern, zone, nowMs) => {
      const { lastUntil, firstAfter } = calendarOf(pattern, zone);
      const [last, first] = [lastUntil(nowMs), firstAfter(nowMs)];
      assert.ok(last !== null && first !== null && last <= nowMs && nowMs < first);
      assert.is(firstAfter(last), first);
      assert.is(lastUntil(first), first);
    }),
    { numRuns: 300 },
  );
});

test.run();
