import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { seededRandom } from '../../src/emulator/random.ts';
import { Throttle, type ThrottleLimit } from '../../src/emulator/throttle.ts';

const messageOf = (limit: ThrottleLimit): unknown => {
  const throttle = new Throttle(limit);
  for (let call = 1; call <= limit.calls; call += 1) assert.is(throttle.check(0), null);
  return (throttle.check(0)?.body as Record<string, unknown> | undefined)?.['error_msg'];
};

test('admits as many calls as it says, and another when the first has left the window', () => {
  const throttle = new Throttle({ calls: 2, perMs: 1_000 });
  assert.is(throttle.check(0), null);
  assert.is(throttle.check(600), null);
  assert.is(throttle.check(999)?.status, 429);
  assert.is(throttle.check(1_000), null);
  assert.is(throttle.check(1_599)?.status, 429);
  assert.is(throttle.check(1_600), null);
});

test('admits no more than it says in any window', () => {
  const random = seededRandom(5);
  const throttle = new Throttle({ calls: 7, perMs: 100 });
  const admittedAtMs: number[] = [];
  for (let atMs = 0, call = 0; call < 5_000; call += 1, atMs += random() * 30) if (!throttle.check(atMs)) admittedAtMs.push(atMs);
  assert.ok(admittedAtMs.length > 1_000);
  for (const [index, atMs] of admittedAtMs.entries()) assert.ok(atMs - (admittedAtMs[index - 7] ?? Number.NEGATIVE_INFINITY) >= 100);
});

for (const [limit, message] of [
  [{ calls: 5, perMs: 60_000 }, 'The throttling threshold has been reached: policy ip over ratelimit,limit:5,time:1 minute'],
  [{ calls: 10, perMs: 1_000 }, 'The throttling threshold has been reached: policy ip over ratelimit,limit:10,time:1 second'],
  [{ calls: 9, perMs: 3_600_000 }, 'The throttling threshold has been reached: policy ip over ratelimit,limit:9,time:1 hour'],
  [{ calls: 200, perMs: 300_000 }, 'The throttling threshold has been reached: policy ip over ratelimit,limit:200,time:5 minute'],
  [{ calls: 1, perMs: 2_500 }, 'The throttling threshold has been reached: policy ip over ratelimit'],
  [{ calls: 1, perMs: 1_000, quiet: true }, 'Too many requests'],
] as const) {
  test(`rejects ${JSON.stringify(limit)}: ${message}`, () => {
    assert.is(messageOf(limit), message);
  });
}

test('says when to retry, in whole seconds, if configured', () => {
  const throttle = new Throttle({ calls: 1, perMs: 2_000, retryAfter: true });
  throttle.check(0);
  assert.equal(throttle.check(0)?.headers, { 'Retry-After': '2' });
  assert.equal(throttle.check(1_999)?.headers, { 'Retry-After': '1' });
  const silent = new Throttle({ calls: 1, perMs: 2_000 });
  silent.check(0);
  assert.is(silent.check(0)?.headers, undefined);
});

test.run();
