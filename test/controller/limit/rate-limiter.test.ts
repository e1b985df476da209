import { setImmediate as nextTurn } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { RateLimiter } from '../../../src/controller/limit/rate-limiter.ts';
import type { RequestResult } from '../../../src/gateway/interface.ts';
import type { Clock } from '../../../src/model/clock.ts';

const never = new AbortController().signal;
const answered: RequestResult = { kind: 'answered', retryAfterMs: null, rateLimit: null };

function trafficOn({ quietMs: initialDelayMs = 0, calls = 3 } = {}) {
  const clock: Clock & { ms: number } = {
    ms: 1000,
    now: () => clock.ms,
    monotonicMs: () => clock.ms,
    sleep: async (ms) => {
      clock.ms += ms;
    },
  };
  const traffic = new RateLimiter({ limit: { calls, perMs: 1000, concurrency: 4 }, clock, initialDelayMs });
  const said: string[] = [];
  traffic.setListener({ paused: ({ reason }) => said.push(`stopped: ${reason}`), resumed: () => said.push('resumed') });
  const send = async (end: RequestResult = answered): Promise<number> => {
    const ended = await traffic.acquire(never);
    const atMs = clock.ms;
    ended(end);
    await nextTurn();
    return atMs;
  };
  return { traffic, clock, said, send };
}

test('keeps to the limit of the file', async () => {
  const { send } = trafficOn();
  assert.equal([await send(), await send(), await send(), await send()], [1000, 1000, 1000, 2000]);
});

test('respects the requests that the previous process sent in the window', async () => {
  const { send } = trafficOn({ quietMs: 700 });
  assert.is(await send(), 1700);
});

test('a pause stops requests that have not started, holds those that have, and ends automatically', async () => {
  const { traffic, send, said } = trafficOn();
  await send({ kind: 'throttled', retryAfterMs: 30, rateLimit: null });
  assert.equal([traffic.paused?.reason, said], ['pause', ['stopped: pause']]);
  assert.is(await send(), 1030);
  await new Promise((resolve) => setTimeout(resolve, 60));
  assert.equal([traffic.paused, said], [null, ['stopped: pause', 'resumed']]);
  traffic.close();
});

test('a lower rate spaces the requests', async () => {
  const { send, clock, traffic } = trafficOn({ calls: 10 });
  await send({ kind: 'throttled', retryAfterMs: null, rateLimit: { calls: 2, perMs: 1000 } });
  assert.equal(traffic.currentRate, { calls: 2, perMs: 1000 });
  const first = clock.ms;
  assert.equal([await send(), await send()], [first + 500, first + 1000]);
});

test('an outage stops requests, and the first response resumes them', async () => {
  const { traffic, send, said } = trafficOn({ calls: 100 });
  for (let request = 0; request < 5; request += 1) await send({ kind: 'lost', retryAfterMs: null, rateLimit: null });
  assert.is(traffic.paused?.reason, 'outage');
  await send({ kind: 'lost', retryAfterMs: null, rateLimit: null });
  await send();
  assert.equal([traffic.paused, said], [null, ['stopped: outage', 'resumed']]);
});

test('a request that was never sent does not affect the rate', async () => {
  const { traffic, send } = trafficOn({ calls: 100 });
  for (let request = 0; request < 20; request += 1) await send({ kind: 'unsent', retryAfterMs: null, rateLimit: null });
  assert.is(traffic.paused, null);
});

test('resumes only when every reason for the pause is gone', () => {
  const { traffic, said } = trafficOn();
  traffic.pause('credentials', 'no');
  traffic.pause('outage', 'no');
  traffic.pause('outage', 'no');
  traffic.resume('credentials');
  assert.equal([traffic.paused?.reason, traffic.isPausedFor('outage')], ['outage', true]);
  traffic.resume('outage');
  traffic.resume('outage');
  assert.equal(said, ['stopped: credentials', 'stopped: outage', 'resumed']);
});

test('an aborted request does not wait', async () => {
  const { traffic, send, clock } = trafficOn();
  await send({ kind: 'throttled', retryAfterMs: 3_600_000, rateLimit: null });
  const beganAtMs = clock.ms;
  await traffic.acquire(AbortSignal.abort());
  assert.is(clock.ms, beganAtMs);
  traffic.close();
});

test.run();
