import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { SendWindow } from '../../../src/controller/limit/send-window.ts';
import type { Clock } from '../../../src/model/clock.ts';
import { fullestWindow } from '../../chaos/rate.ts';
import { fc, runs } from '../../support/fast-check.ts';

/** A clock that advances only by sleeping. */
function sleepingClock(): Clock & { ms: number } {
  const clock = {
    ms: 1000,
    now: () => clock.ms,
    monotonicMs: () => clock.ms,
    sleep: async (ms: number, signal: AbortSignal) => {
      await new Promise((resolve) => setImmediate(resolve));
      if (!signal.aborted) clock.ms += ms;
    },
  };
  return clock;
}

const limit = (calls: number, perMs: number) => ({ calls, perMs, concurrency: 4 });
const never = new AbortController().signal;

test('sends a whole window of requests at once and the next only when the window has passed', async () => {
  const clock = sleepingClock();
  const window = new SendWindow(limit(3, 1000), clock);
  const left: number[] = [];
  for (let request = 0; request < 7; request += 1) {
    const answered = await window.acquire(never);
    left.push(clock.now());
    answered();
  }
  assert.equal(left, [1000, 1000, 1000, 2000, 2000, 2000, 3000]);
});

test('a request counts from its response, since it may have arrived as late as that', async () => {
  const clock = sleepingClock();
  const window = new SendWindow(limit(1, 1000), clock);
  const answered = await window.acquire(never);
  clock.ms += 30;
  answered();
  await window.acquire(never);
  assert.is(clock.now(), 2030, 'a window after the response');
});

test('a request without a response keeps its slot until the response and one window longer, since it may arrive as late as that', async () => {
  const clock = sleepingClock();
  const window = new SendWindow(limit(2, 1000), clock);
  const answers = [await window.acquire(never), await window.acquire(never)];
  clock.ms += 60_000;
  const third = window.acquire(never).then(() => clock.now());
  await new Promise((resolve) => setTimeout(resolve, 5));
  const answeredAtMs = clock.now();
  answers[1]?.();
  assert.is(await third, answeredAtMs + 1000);
});

test('a wait that started before a response ends one window after that response', async () => {
  const clock = { ms: 0, now: () => clock.ms, monotonicMs: () => clock.ms, sleep: async () => {} };
  const sleeps: number[] = [];
  clock.sleep = (async (ms: number, signal: AbortSignal) => {
    sleeps.push(ms);
    await new Promise<void>((resolve) => {
      signal.addEventListener('abort', () => resolve());
      if (ms <= 50) {
        clock.ms += ms;
        resolve();
      }
    });
  }) as never;
  const window = new SendWindow(limit(1, 50), clock);
  const answered = await window.acquire(never);
  const next = window.acquire(never);
  await new Promise((resolve) => setTimeout(resolve, 5));
  clock.ms = 3;
  answered();
  await next;
  assert.equal([clock.ms, sleeps.at(-1)], [53, 50]);
});

test('no window holds more than the limit, whatever the gaps between requests and the latency to the gateway', async () => {
  const clock = sleepingClock();
  const window = new SendWindow(limit(5, 100), clock);
  const arrived: number[] = [];
  for (let request = 0; request < 500; request += 1) {
    clock.ms += (request * 7919) % 37;
    const answered = await window.acquire(never);
    clock.ms += (request * 104729) % 23;
    arrived.push(clock.now());
    answered();
  }
  for (const [index, at] of arrived.entries()) {
    const sixth = arrived[index + 5];
    if (sixth !== undefined) assert.ok(sixth - at >= 100, `requests ${index} and ${index + 5} are ${sixth - at} ms apart`);
  }
});

test('the limit holds for any value from one a minute to a thousand a second', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom([1, 60_000], [7, 60_000], [1, 1000], [10, 1000], [100, 1000], [1000, 1000], [3, 100]),
      fc.array(fc.tuple(fc.nat(400), fc.nat(200)), { minLength: 20, maxLength: 60 }),
      async ([calls = 1, perMs = 1], steps) => {
        const clock = sleepingClock();
        const window = new SendWindow(limit(calls, perMs), clock);
        const arrived: number[] = [];
        for (let round = 0; round < Math.ceil((calls * 3) / steps.length) + 1; round += 1) {
          for (const [idleMs, wayMs] of steps) {
            clock.ms += calls > 100 ? idleMs / 400 : idleMs;
            const answered = await window.acquire(never);
            clock.ms += calls > 100 ? wayMs / 200 : wayMs;
            arrived.push(clock.ms);
            answered();
          }
        }
        assert.ok(fullestWindow(arrived, perMs) <= calls);
      },
    ),
    { numRuns: runs(60) },
  );
});

test('admits requests in the order in which they came', async () => {
  const window = new SendWindow(limit(1, 10), sleepingClock());
  const order: number[] = [];
  await Promise.all(
    [1, 2, 3].map(async (number) => {
      const answered = await window.acquire(never);
      order.push(number);
      answered();
    }),
  );
  assert.equal(order, [1, 2, 3]);
});

test('an aborted request does not hold back the others', async () => {
  const clock = sleepingClock();
  const window = new SendWindow(limit(1, 60_000), clock);
  await window.acquire(never);
  await window.acquire(AbortSignal.abort());
  assert.is(clock.now(), 1000);
});

test('waits until the window is free of the requests that another process sent', async () => {
  const clock = sleepingClock();
  const window = new SendWindow(limit(3, 1000), clock, 1700);
  await window.acquire(never);
  assert.is(clock.now(), 1700);
});

test.run();
