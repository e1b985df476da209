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

/** Sleeps last until their signal is aborted. */
const sleepUntilAborted: Clock['sleep'] = (_, signal) =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });

async function isResolved(promise: Promise<unknown>): Promise<boolean> {
  let isDone = false;
  void promise.then(() => {
    isDone = true;
  });
  for (let turn = 0; turn < 3; turn += 1) await nextTurn();
  return isDone;
}

for (const [cause, hold] of [
  ['a pause', { kind: 'throttled', retryAfterMs: 900_000, rateLimit: null }],
  ['the limit', answered],
] as const) {
  test(`a request that is given up does not wait behind one that waits for ${cause}`, async () => {
    const clock: Clock = { now: () => 0, monotonicMs: () => 0, sleep: sleepUntilAborted };
    const rateLimiter = new RateLimiter({ limit: { calls: 1, perMs: 1000, concurrency: 4 }, clock, initialDelayMs: 0 });
    (await rateLimiter.acquire(never))(hold);
    const read = rateLimiter.acquire(never);
    const stopping = new AbortController();
    const call = rateLimiter.acquire(stopping.signal);
    const later = rateLimiter.acquire(never);
    assert.is(await isResolved(call), false);
    stopping.abort();
    assert.equal([await isResolved(call), await isResolved(read), await isResolved(later)], [true, false, false]);
    rateLimiter.close();
  });
}

for (const [named, result] of [
  ['pause', { kind: 'throttled', retryAfterMs: 900_000, rateLimit: null }],
  ['rate', { kind: 'throttled', retryAfterMs: null, rateLimit: { calls: 1, perMs: 30 * 86_400_000 } }],
] as const) {
  test(`a request that waits for a ${named} that the gateway has named leaves when a person asks to try again`, async () => {
    let nowMs = 0;
    const clock: Clock = { now: () => nowMs, monotonicMs: () => nowMs, sleep: sleepUntilAborted };
    const rateLimiter = new RateLimiter({ limit: { calls: 10, perMs: 1000, concurrency: 4 }, clock, initialDelayMs: 0 });
    (await rateLimiter.acquire(never))(result);
    const waiting = rateLimiter.acquire(never);
    assert.is(await isResolved(waiting), false);
    nowMs = 5000;
    rateLimiter.retryNow();
    assert.is(await isResolved(waiting), true);
    rateLimiter.close();
  });
}

test.run();
