import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { formatClockTime, formatNumber, formatRate, formatSeconds } from '../../src/ui/format.ts';

for (const [seconds, expected] of [
  [0, '0 s'],
  [0.44, '0.4 s'],
  [12.4, '12 s'],
  [250, '4 min 10 s'],
  [7500, '2 h 5 min'],
] as const) {
  test(`${seconds} seconds are ${expected}`, () => assert.is(formatSeconds(seconds), expected));
}

test('counts and rates are formatted for people', () => {
  assert.is(formatNumber(10_000), '10,000');
  assert.is(formatRate({ calls: 10, perMs: 1000 }), '10 calls/s');
  assert.is(formatRate({ calls: 1, perMs: 1000 }), '1 call/s');
  assert.is(formatRate({ calls: 2.46, perMs: 60_000 }), '2.5 calls in 1 min 0 s');
});

test('a time on another day has its date', () => {
  const now = new Date('2026-11-23T12:00:00Z');
  assert.match(formatClockTime('2026-11-23T12:00:00Z', now), /^\d{2}:\d{2}:\d{2}$/);
  assert.match(formatClockTime('2026-11-20T12:00:00Z', now), /^2026-11-2\d \d{2}:\d{2}:\d{2}$/);
});

test.run();
