import { setImmediate as nextTurn } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { RateLimiter } from '../../../src/controller/limit/rate-limiter.ts';
import type { RequestResult } from '../../../src/gateway/interface.ts';
import type { Clock } from '../../../src/model/clock.ts';

const never = new AbortController().signal;
const answered: RequestResult = { kind: 'answered', retryAfterMs: null, rateLimit: null };

function openLimiter({ quietMs: initialDelayMs = 0, calls = 3 } = {}) {
  const clock: Clock & { ms: number } = {
    ms: 1000,
    now: () => clock.ms,
    monotonicMs: () => clock.ms,
    sleep: async (ms) => {
      clock.ms += ms;
    },
  };
  const rateLimiter = new RateLimiter({ limit: { calls, perMs: 1000, concurrency: 4 }, clock, initialDelayMs });
  const events: string[] = [];
  rateLimiter.subscribe({ paused: ({ reason }) => events.push(`stopped: ${reason}`), resumed: () => events.push('resumed') });
  const send = async (end: RequestResult = answered): Promise<number> => {
    const ended = await rateLimiter.acquire(never);
    const atMs = clock.ms;
    ended(end);
    await nextTurn();
    return atMs;
  };
  return { rateLimiter, clock, events, send };
}

test('keeps to the limit of the file', async () => {
  const { send } = openLimiter();
  assert.equal([await send(), await send(), await send(), await send()], [1000, 1000, 1000, 2000]);
});

test('respects the requests that the previous process sent in the window', async () => {
  const { send } = openLimiter({ quietMs: 700 });
  assert.is(await send(), 1700);
});

test('a pause stops requests that have not started, holds those that have, and ends automatically', async () => {
  const { rateLimiter, send, events } = openLimiter();
  await send({ kind: 'throttled', retryAfterMs: 30, rateLimit: null });
  assert.equal([rateLimiter.paused?.reason, events], ['pause', ['stopped: pause']]);
  assert.is(await send(), 1030);
  await new Promise((resolve) => setTimeout(resolve, 60));
  assert.equal([rateLimiter.paused, events], [null, ['stopped: pause', 'resumed']]);
  rateLimiter.close();
});

test('a lower rate spaces the requests', async () => {
  const { send, clock, rateLimiter } = openLimiter({ calls: 10 });
  await send({ kind: 'throttled', retryAfterMs: null, rateLimit: { calls: 2, perMs: 1000 } });
  assert.equal(rateLimiter.currentRate, { calls: 2, perMs: 1000 });
  const first = clock.ms;
  assert.equal([await send(), await send()], [first + 500, first + 1000]);
});

test('an outage stops requests, and the first response resumes them', async () => {
  const { rateLimiter, send, events } = openLimiter({ calls: 100 });
  for (let request = 0; request < 5; request += 1) await send({ kind: 'lost', retryAfterMs: null, rateLimit: null });
  assert.is(rateLimiter.paused?.reason, 'outage');
  await send({ kind: 'lost', retryAfterMs: null, rateLimit: null });
  await send();
  assert.equal([rateLimiter.paused, events], [null, ['stopped: outage', 'resumed']]);
});

test('a request that was never sent does not affect the rate', async () => {
  const { rateLimiter, send } = openLimiter({ calls: 100 });
  for (let request = 0; request < 20; request += 1) await send({ kind: 'unsent', retryAfterMs: null, rateLimit: null });
  assert.is(rateLimiter.paused, null);
});

test('resumes only when every reason for the pause is gone', () => {
  const { rateLimiter, events } = openLimiter();
  rateLimiter.pause('credentials', 'no');
  rateLimiter.pause('outage', 'no');
  rateLimiter.pause('outage', 'no');
  rateLimiter.resume('credentials');
  assert.equal([rateLimiter.paused?.reason, rateLimiter.isPausedFor('outage')], ['outage', true]);
  rateLimiter.resume('outage');
  rateLimiter.resume('outage');
  assert.equal(events, ['stopped: credentials', 'stopped: outage', 'resumed']);
});

test('an aborted request does not wait', async () => {
  const { rateLimiter, send, clock } = openLimiter();
  await send({ kind: 'throttled', retryAfterMs: 3_600_000, rateLimit: null });
  const beganAtMs = clock.ms;
  await rateLimiter.acquire(AbortSignal.abort());
  assert.is(clock.ms, beganAtMs);
  rateLimiter.close();
});

test.run();
