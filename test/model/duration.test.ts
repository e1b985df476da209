import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parseDurationMs } from '../../src/model/clock.ts';
import { fc } from '../support/fast-check.ts';

for (const [duration, ms] of [
  ['500ms', 500],
  ['1s', 1000],
  ['90s', 90_000],
  ['1m', 60_000],
  ['24h', 86_400_000],
] as const) {
  test(`${duration} is ${ms} ms`, () => assert.is(parseDurationMs(duration), ms));
}

test('anything else is rejected', () => {
  for (const text of ['', '1', 's', '1 s', '1S', '-1s', '1.5s', '1s ', '1s\n', '1d', 'ms']) assert.is(parseDurationMs(text), null);
  fc.assert(
    fc.property(fc.string(), (text) => {
      fc.pre(!/^\d{1,9}(?:ms|s|m|h)$/.test(text));
      assert.is(parseDurationMs(text), null);
    }),
  );
});

test.run();
