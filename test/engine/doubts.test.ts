import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Doubts } from '../../src/engine/doubts.ts';

function doubting() {
  const clock = { ms: 1000, wallMs: 500_000, monotonic: () => clock.ms, now: () => clock.wallMs };
  const doubts = new Doubts(500, clock);
  return { clock, waitMs: (attemptId: number, overAtMs: number | null = null) => doubts.waitMs({ attemptId, overAtMs }), doubts };
}

test('an attempt is in doubt for the lag from when it was first seen', () => {
  const { clock, doubts, waitMs } = doubting();
  assert.is(waitMs(7), 500);
  clock.ms += 200;
  assert.equal([waitMs(7), waitMs(8)], [300, 500]);
  clock.ms += 1000;
  assert.is(waitMs(7), 0);
  doubts.settle(7);
  assert.is(waitMs(7), 500, 'it is forgotten');
});

test('what an earlier process left is as old as the record says, if that can be', () => {
  const { clock, waitMs } = doubting();
  assert.equal([waitMs(1, clock.wallMs - 100), waitMs(2, clock.wallMs - 9000), waitMs(3, clock.wallMs + 9000)], [400, 0, 500]);
});

test('a clock that is set while an attempt is in doubt changes nothing', () => {
  const { clock, waitMs } = doubting();
  const overAtMs = clock.wallMs;
  assert.is(waitMs(7, overAtMs), 500);
  clock.wallMs += 3_600_000;
  assert.is(waitMs(7, overAtMs), 500);
  clock.wallMs -= 7_200_000;
  clock.ms += 500;
  assert.is(waitMs(7, overAtMs), 0);
});

test.run();
