import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { RepeatFilter } from '../../src/telemetry/repeat-filter.ts';

test('an error that repeats is let through with a growing interval, with the number of those skipped', () => {
  let nowMs = 0;
  const filter = new RepeatFilter(() => nowMs);
  const passed: [number, number][] = [];
  for (; nowMs <= 3_600_000; nowMs += 100) {
    const skipped = filter.pass('disk full');
    if (skipped !== null) passed.push([nowMs, skipped]);
  }
  assert.equal(passed.slice(0, 5), [
    [0, 0],
    [1000, 9],
    [3000, 19],
    [7000, 39],
    [15_000, 79],
  ]);
  assert.ok(passed.length < 25, `${passed.length} lines in an hour`);
});

test('another error is let through at once, and so is one that stayed away for long', () => {
  let nowMs = 0;
  const filter = new RepeatFilter(() => nowMs);
  assert.is(filter.pass('one'), 0);
  assert.is(filter.pass('two'), 0);
  assert.is(filter.pass('one'), null);
  nowMs = 3_600_000;
  assert.is(filter.pass('one'), 1);
  nowMs += 1000;
  assert.is(filter.pass('one'), 0);
});

test('it knows a bounded number of errors', () => {
  const filter = new RepeatFilter(() => 0);
  for (let index = 0; index < 1000; index += 1) filter.pass(`error ${index}`);
  assert.is(filter.pass('error 0'), 0);
  assert.is(filter.pass('error 999'), null);
});

test.run();
