import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { StaleSourceCheck } from '../../src/controller/stale-source-check.ts';
import { desiredDigest } from '../../src/plan/digest.ts';
import { desiredState, wanted } from '../support/states.ts';

const [older, newer] = ['online', 'offline'].map((state) => desiredState([wanted('orders', 'test', { state: state as 'online' })]));

/** The recorded digests of a gateway, which may change, and the time. */
function openCheck(acted: readonly (typeof older)[]) {
  const now = { ms: 0, holder: null as string | null, acted: acted.map((one) => desiredDigest(one ?? desiredState([]))) };
  const takeOvers = new StaleSourceCheck({
    record: { appliedDigests: async () => now.acted, leaseHolder: async () => now.holder },
    clock: { monotonicMs: () => now.ms },
  });
  return { now, may: (desired: typeof older) => takeOvers.check(desired ?? desiredState([])) };
}

test('a file that is as new as the last one acted on, or was never acted on, takes over at once', async () => {
  assert.is(await openCheck([]).may(older), 'free');
  assert.is(await openCheck([older]).may(older), 'free');
  assert.is(await openCheck([older]).may(newer), 'free');
});

test('with an older file the lease is left to other instances for a while after it becomes free', async () => {
  const { now, may } = openCheck([older, newer]);
  now.holder = 'host, pid 1';
  assert.is(await may(older), 'held');
  now.ms = 500_000;
  now.holder = null;
  assert.is(await may(older), 'behind');
  now.ms += 179_000;
  assert.is(await may(older), 'behind');
  assert.is(await may(newer), 'free');
  assert.is(await may(older), 'behind', 'the time starts again');
  now.ms += 179_000;
  now.holder = 'host, pid 2';
  assert.is(await may(older), 'held');
  now.holder = null;
  assert.is(await may(older), 'behind');
  now.ms += 180_000;
  assert.is(await may(older), 'free', 'a person may have restored the older one');
});

test.run();
