import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { DesiredState } from '../../src/model/desired-state.ts';
import { InvalidFileError } from '../../src/model/errors.ts';
import { parseFreezes, parseSuspension } from '../../src/source/freeze.ts';
import { parseDesiredState } from '../../src/source/parser.ts';
import { parseSchedule } from '../../src/source/schedule.ts';
import { fc, runs } from '../support/fast-check.ts';

const test = suite('freeze in the file');
const at = (text: string): number => Date.parse(text);

function file(more: string, test = 'env-test', orders = ''): string {
  return `edict: 1
gateway: { endpoint: "https://roma.example.com", project: p, instance: i }
environments: { test: ${test}, release: env-release }
${more}
apis: { orders: { id: id-orders${orders}, environments: { test: online } } }
`;
}

const parsed = (text: string): DesiredState => parseDesiredState({ text, file: 'edict.yaml', variables: {} });

function errorsOf(text: string): string[] {
  try {
    parsed(text);
    return [];
  } catch (error) {
    if (error instanceof InvalidFileError)
      return error.diagnostics.map(({ line, message, hint }) => `${line}: ${message}${hint ? ` (${hint})` : ''}`);
    throw error;
  }
}

test('a recurring freeze applies to its environments', () => {
  const [weekend] = parsed(
    file('freeze: [{ name: weekend, from: "0 18 * * FRI", to: "0 8 * * MON", timezone: Europe/Berlin, environments: [release] }]'),
  ).freezes;
  assert.equal([weekend?.name, weekend?.reason, weekend?.environmentIds], ['weekend', null, new Set(['env-release'])]);
  assert.is(weekend?.endsAtMs(at('2026-11-21T12:00Z')), at('2026-11-23T07:00Z'));
  assert.is(weekend?.endsAtMs(at('2026-11-23T07:00Z')), null);
  assert.is(weekend?.endsAtMs(at('2026-11-20T17:00Z')), at('2026-11-23T07:00Z'));
  assert.is(weekend?.endsAtMs(at('2026-11-20T16:59:59Z')), null, 'it may be asked of an earlier time again');
});

test('a single freeze applies to all environments', () => {
  const [yearEnd] = parsed(file('freeze: [{ from: 2026-12-18T18:00, to: 2027-01-04T08:00, timezone: Europe/Berlin }]')).freezes;
  assert.is(yearEnd?.environmentIds, null);
  assert.is(yearEnd?.endsAtMs(at('2026-12-24T00:00Z')), at('2027-01-04T07:00Z'));
  assert.is(yearEnd?.endsAtMs(at('2027-12-24T00:00Z')), null);
});

test('a suspension has a reason, an author and an end', () => {
  const suspend = 'suspend: { reason: migration, until: "2026-11-24T08:00Z", by: ada }';
  const expected = { reason: 'migration', by: 'ada', sinceMs: null, untilMs: at('2026-11-24T08:00Z') };
  assert.equal(parsed(file(suspend)).suspension, expected);
  assert.equal(parsed(file('', `{ id: env-test, ${suspend} }`)).environments.get('env-test')?.suspension, expected);
  assert.equal(parsed(file('', 'env-test', `, ${suspend}`)).suspendedApis, new Map([['id-orders', expected]]));
  assert.equal(parseSuspension({ reason: 'x' }), { reason: 'x', by: null, sinceMs: null, untilMs: null });
  assert.is(parseSuspension(undefined), null);
});

for (const form of ['2026-12-18 18:00', '2026-12-18T18:00:00.000Z', '2026-12-18 18:00:00']) {
  test(`${form}, which the cron library accepts as a date, is not a valid date in a file`, () => {
    const found = errorsOf(file(`freeze: [{ from: ${form}, to: ${form.replace('12-18', '12-10')} }]`));
    assert.is(found.length, 2, found.join('; '));
    assert.match(found[0] ?? '', `"${form}" is neither a cron pattern nor a date and time`);
  });
}

const leftOut: readonly [string, string, string, string | null][] = [
  ['the clock change skips all of it', '0 2 * * *', '30 2 * * *', null],
  ['it ends right after the clock change', '30 2 * * *', '0 3 * * *', null],
  ['only its start is skipped', '30 2 * * *', '30 3 * * *', '2026-03-29T01:30Z'],
  ['only its end is skipped', '0 3 * * *', '30 2 * * *', '2026-03-30T00:30Z'],
  ['it begins before its end, both left out', '45 2 * * *', '15 2 * * *', '2026-03-30T00:15Z'],
  ['it lasts a whole day and its start is skipped', '30 2 * * SUN', '30 2 * * *', '2026-03-30T00:30Z'],
];
for (const [name, from, to, expected] of leftOut) {
  test(`a freeze on the night of summer time: ${name}`, () => {
    const [window] = parseFreezes([{ from, to, timezone: 'Europe/Berlin' }], new Map());
    const atMs = at('2026-03-29T01:00Z');
    assert.is(window?.endsAtMs(atMs) ?? null, expected === null ? null : at(expected));
    if (expected === null) assert.is(window?.endsAtMs(atMs + 6 * 3_600_000) ?? null, null, 'nor for the rest of the day');
  });
}

const wrong: readonly [string, string, string][] = [
  [
    'an invalid pattern',
    'freeze: [{ from: "0 25 * * *", to: "0 8 * * MON" }]',
    '4: "0 25 * * *" is neither a cron pattern nor a date and time: invalid value for hour: 25',
  ],
  ['an invalid date', 'freeze: [{ from: 2026-02-31T10:00, to: 2026-03-01T10:00 }]', 'this date and time does not exist'],
  [
    'an unknown time zone',
    'freeze: [{ from: "0 1 * * *", to: "0 2 * * *", timezone: Europe/Berln }]',
    'unknown time zone "Europe/Berln" (did you mean `Europe/Berlin`?)',
  ],
  [
    'an end before the start',
    'freeze: [{ from: 2026-12-18T10:00, to: 2026-12-18T10:00 }]',
    'the freeze ends at 2026-12-18T10:00, before it starts',
  ],
  [
    'a start and an end at the same time',
    'freeze: [{ from: "0 8 * * *", to: "0 8 * * *" }]',
    '4: the freeze never ends: whenever it ends, it starts again (set a `to` that does not coincide with `from`)',
  ],
  ['an end at which the freeze always starts again', 'freeze: [{ from: "0 * * * *", to: "0 8 * * *" }]', 'never ends'],
  ['an end so rare that the freeze practically never ends', 'freeze: [{ from: "* * * * *", to: "0 0 1 1 *" }]', 'never ends'],
  [
    'a city name instead of a time zone',
    'freeze: [{ from: "0 1 * * *", to: "0 2 * * *", timezone: New York }]',
    'did you mean `America/New_York`?',
  ],
  ['a year', 'freeze: [{ from: "0 0 0 1 1 * 2027", to: "0 8 * * *" }]', '"0 0 0 1 1 * 2027" is neither a cron pattern nor a date and time'],
  ['a boolean as suspension', 'suspend: true', '`suspend` is the boolean true'],
  ['a date and a cron pattern', 'freeze: [{ from: 2026-12-18T10:00, to: "0 8 * * MON" }]', '`from` and `to` have different forms'],
  ['a start that never occurs', 'freeze: [{ from: "0 0 31 2 *", to: "0 8 * * MON" }]', '"0 0 31 2 *" never occurs'],
  ['an end that never occurs', 'freeze: [{ from: "0 8 * * MON", to: "0 0 31 2 *" }]', '"0 0 31 2 *" never occurs'],
  ['an undeclared environment', 'freeze: [{ from: "0 1 * * *", to: "0 2 * * *", environments: [relase] }]', 'relase'],
  ['no window', 'freeze: []', '`freeze`'],
  ['no end', 'freeze: [{ from: "0 1 * * *" }]', '`to`'],
  ['a suspension without a reason', 'suspend: { by: ada }', '`reason`'],
  [
    'a suspension until a time without a zone',
    'suspend: { reason: x, until: 2026-11-24T08:00 }',
    '4: "2026-11-24T08:00" is not a date and time with a zone',
  ],
];
for (const [name, more, expected] of wrong) {
  test(`${name} is an error with its line`, () => {
    const found = errorsOf(file(more));
    assert.is(found.length, 1, found.join('; '));
    assert.match(found[0] ?? '', expected);
  });
}

test('a freeze is active exactly from each start to the next end, minute by minute, across clock changes', () => {
  const begins = fc.constantFrom('0 18 * * *', '30 2 * * *', '0 22 * * SAT', '15 */6 * * *');
  const ends = fc.constantFrom('0 6 * * *', '30 3 * * *', '0 4 * * SUN', '45 */6 * * *');
  const changes = fc.constantFrom('2026-03-28T12:00Z', '2026-10-24T12:00Z', '2026-06-06T12:00Z');
  fc.assert(
    fc.property(begins, ends, changes, fc.constantFrom('Europe/Berlin', 'UTC', 'America/New_York'), (from, to, change, timezone) => {
      const [window] = parseFreezes([{ from, to, timezone }], new Map());
      const [begin, end] = [parseSchedule(from, timezone), parseSchedule(to, timezone)];
      const startMs = begin.nextMs(at(change) - 3 * 86_400_000) ?? 0;
      let isOn = true;
      let nextBegin = startMs;
      let nextEnd = end.nextMs(startMs) ?? 0;
      for (let ms = startMs; ms < startMs + 3 * 86_400_000; ms += 60_000) {
        if (isOn && ms >= nextEnd) {
          isOn = false;
          nextBegin = begin.nextMs(ms - 1) ?? 0;
        }
        if (!isOn && ms >= nextBegin) {
          isOn = true;
          nextEnd = end.nextMs(ms) ?? 0;
        }
        assert.is(window?.endsAtMs(ms) ?? null, isOn ? nextEnd : null, new Date(ms).toISOString());
      }
    }),
    { numRuns: runs(12), endOnFailure: true },
  );
});

test.run();
