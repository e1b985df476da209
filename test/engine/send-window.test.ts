import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Clock } from '../../src/core/ports.ts';
import { SendWindow } from '../../src/engine/send-window.ts';

/** A clock that stands still but for what is slept. */
function sleepingClock(): Clock & { ms: number } {
  const clock = {
    ms: 1000,
    now: () => clock.ms,
    sleep: async (ms: number) => {
      clock.ms += ms;
    },
  };
  return clock;
}

const limit = (calls: number, perMs: number) => ({ calls, perMs, concurrency: 4 });
const never = new AbortController().signal;

test('lets a whole window leave at once and the next only when the window has passed', async () => {
  const clock = sleepingClock();
  const window = new SendWindow(limit(3, 1000), clock);
  const left: number[] = [];
  for (let request = 0; request < 7; request += 1) {
    await window.admit(never);
    left.push(clock.now());
  }
  assert.equal(left, [1000, 1000, 1000, 2010, 2010, 2010, 3020]);
});

test('no window holds more than the limit, whatever the gaps between requests', async () => {
  const clock = sleepingClock();
  const window = new SendWindow(limit(5, 100), clock);
  const left: number[] = [];
  for (let request = 0; request < 500; request += 1) {
    clock.ms += (request * 7919) % 37;
    await window.admit(never);
    left.push(clock.now());
  }
  for (const [index, at] of left.entries()) {
    const sixth = left[index + 5];
    if (sixth !== undefined) assert.ok(sixth - at >= 100, `requests ${index} and ${index + 5} are ${sixth - at} ms apart`);
  }
});

test('admits in the order of asking', async () => {
  const window = new SendWindow(limit(1, 10), sleepingClock());
  const order: number[] = [];
  await Promise.all([1, 2, 3].map((number) => window.admit(never).then(() => order.push(number))));
  assert.equal(order, [1, 2, 3]);
});

test('does not hold back one who has been stopped', async () => {
  const clock = sleepingClock();
  const window = new SendWindow(limit(1, 60_000), clock);
  await window.admit(never);
  await window.admit(AbortSignal.abort());
  assert.is(clock.now(), 1000);
});

test.run();
