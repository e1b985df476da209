import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { systemClock } from '../../src/app/context.ts';

test('sleeps as long as requested, and no longer than until the abort', async () => {
  const beganAtMs = systemClock.monotonicMs();
  await systemClock.sleep(20, new AbortController().signal);
  assert.ok(systemClock.monotonicMs() - beganAtMs >= 19);
  const stop = new AbortController();
  const sleeping = systemClock.sleep(3_600_000, stop.signal);
  stop.abort();
  await sleeping;
  await systemClock.sleep(3_600_000, AbortSignal.abort());
});

test('returns the time of the machine', () => {
  assert.ok(Math.abs(systemClock.now() - Date.now()) < 1000);
});

test.run();
