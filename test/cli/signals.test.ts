import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { onStopSignal } from '../../src/cli/signals.ts';
import { until } from '../support/edict-process.ts';

test('the first signal aborts, and its duplicate does nothing', async () => {
  using stop = onStopSignal();
  process.kill(process.pid, 'SIGINT');
  await until('the signal is received', () => stop.signal.aborted);
  assert.is(stop.signal.reason, 'SIGINT');
  process.kill(process.pid, 'SIGINT');
  await new Promise((resolve) => setTimeout(resolve, 50));
});

test('disposing removes the signal listeners', () => {
  const before = process.listenerCount('SIGTERM');
  onStopSignal()[Symbol.dispose]();
  assert.is(process.listenerCount('SIGTERM'), before);
});

test.run();
