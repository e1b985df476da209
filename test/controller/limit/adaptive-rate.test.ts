import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { AdaptiveRate } from '../../../src/controller/limit/adaptive-rate.ts';
import type { RequestResult } from '../../../src/gateway/interface.ts';

const answered: RequestResult = { kind: 'answered', retryAfterMs: null, rateLimit: null };
const throttled: RequestResult = { kind: 'throttled', retryAfterMs: null, rateLimit: null };

function pacing(calls: number, perMs = 1000) {
  const clock = { ms: 0, monotonicMs: () => clock.ms };
  return { clock, pace: new AdaptiveRate({ calls, perMs, concurrency: 4 }, clock) };
}

test('the full rate has no spacing and no pause', () => {
  const { pace } = pacing(10);
  for (let answer = 0; answer < 500; answer += 1) pace.report(answered);
  assert.equal([pace.calls, pace.minIntervalMs, pace.remainingPauseMs], [10, 0, 0]);
});

test('a pause that a response names is respected, and the longest one wins', () => {
  const { pace, clock } = pacing(10);
  pace.report({ ...throttled, retryAfterMs: 7000 });
  pace.report({ kind: 'answered', retryAfterMs: 3000, rateLimit: null });
  assert.is(pace.remainingPauseMs, 7000);
  clock.ms += 6999;
  assert.is(pace.remainingPauseMs, 1);
  clock.ms += 1;
  assert.is(pace.remainingPauseMs, 0);
});

test('one throttled response in twenty leaves the rate as it is: that is the price of knowing the limit', () => {
  for (const calls of [10, 100, 1000]) {
    const { pace, clock } = pacing(calls);
    for (let answer = 0; answer < calls * 60; answer += 1) {
      clock.ms += 1000 / calls;
      pace.report(answer % 20 === 0 ? throttled : answered);
      assert.is(pace.calls, calls);
    }
  }
});

test('the rate drops by the share of throttled requests', () => {
  const { pace } = pacing(100);
  for (let answer = 0; answer < 100; answer += 1) pace.report(answer % 2 === 0 ? throttled : answered);
  assert.ok(pace.calls >= 55 && pace.calls <= 65, `${pace.calls}`);
  assert.ok(pace.minIntervalMs > 15 && pace.minIntervalMs < 19, `${pace.minIntervalMs}`);
});

test('nothing but throttled responses lengthen the pause and halve the rate', () => {
  const { pace, clock } = pacing(100);
  const pauses: number[] = [];
  for (let round = 0; round < 8; round += 1) {
    for (let refusal = 0; refusal < 3; refusal += 1) pace.report(throttled);
    pauses.push(pace.remainingPauseMs);
    clock.ms += pace.remainingPauseMs;
  }
  assert.equal(pauses, [1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000]);
});

test('several throttled responses to requests that were in flight together count as one', () => {
  const { pace } = pacing(100);
  for (let refusal = 0; refusal < 16; refusal += 1) pace.report(throttled);
  assert.equal([pace.remainingPauseMs, pace.calls], [1000, 50]);
});

test('the rate recovers slowly, up to the limit of the file and not above', () => {
  const { pace, clock } = pacing(100);
  for (let refusal = 0; refusal < 3; refusal += 1) pace.report(throttled);
  assert.is(pace.calls, 50);
  clock.ms += 10_000;
  assert.is(pace.calls, 70);
  clock.ms += 3_600_000;
  assert.equal([pace.calls, pace.minIntervalMs], [100, 0]);
});

test('a limit that a response names is kept for ten of its windows', () => {
  const { pace, clock } = pacing(10);
  pace.report({ kind: 'throttled', retryAfterMs: 60_000, rateLimit: { calls: 5, perMs: 60_000 } });
  assert.is(Math.round(pace.minIntervalMs), 12_000);
  clock.ms += 599_000;
  assert.is(Math.round(pace.minIntervalMs), 12_000);
  clock.ms += 2_000;
  assert.is(pace.minIntervalMs, 0);
});

test('a limit above the one in the file changes nothing', () => {
  const { pace } = pacing(10);
  pace.report({ kind: 'throttled', retryAfterMs: null, rateLimit: { calls: 500, perMs: 1000 } });
  assert.equal([pace.calls, pace.minIntervalMs], [10, 0]);
});

test('lost requests do not affect the rate', () => {
  const { pace } = pacing(10);
  for (let request = 0; request < 100; request += 1) pace.report({ kind: 'lost', retryAfterMs: null, rateLimit: null });
  assert.equal([pace.calls, pace.remainingPauseMs], [10, 0]);
});

test('the rate never drops to zero', () => {
  const { pace, clock } = pacing(1, 60_000);
  for (let round = 0; round < 30; round += 1) {
    for (let refusal = 0; refusal < 3; refusal += 1) pace.report(throttled);
    clock.ms += pace.remainingPauseMs;
  }
  assert.ok(pace.calls > 0 && pace.minIntervalMs <= 3_600_000, `${pace.calls}`);
});

test('a pause or a limit that the gateway names is respected for fifteen minutes at most, and the rate never drops below one request a minute', () => {
  const monthMs = 30 * 24 * 3_600_000;
  const { pace, clock } = pacing(10);
  pace.report({ kind: 'throttled', retryAfterMs: monthMs, rateLimit: { calls: 1, perMs: monthMs } });
  assert.equal([pace.remainingPauseMs, pace.minIntervalMs], [15 * 60_000, 60_000]);
  clock.ms += 15 * 60_000;
  assert.equal([pace.remainingPauseMs, pace.minIntervalMs], [0, 0]);
});

test('a person or a new file ends the pause and the limit that the gateway has named', () => {
  const { pace } = pacing(10);
  pace.report({ kind: 'throttled', retryAfterMs: 60_000, rateLimit: { calls: 1, perMs: 60_000 } });
  pace.forgetAnnounced();
  assert.is(pace.remainingPauseMs, 0);
});

test.run();
