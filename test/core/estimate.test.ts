import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { estimate } from '../../src/core/estimate.ts';
import { plan } from '../../src/core/plan.ts';
import { desiredState, recorded, recordedState, wanted } from '../support/states.ts';

const changesFor = (count: number) =>
  plan(desiredState(Array.from({ length: count }, (_, index) => wanted(`api${index}`, 'test'))), new Map()).changes;
const tenPerSecond = { calls: 10, perMs: 1000, concurrency: 4 };

test('three calls at ten a second take 0.2 s', () => {
  assert.equal(estimate(changesFor(3), tenPerSecond), { calls: 3, seconds: 0.2 });
});

test('nothing to do takes no time', () => {
  assert.equal(estimate([], tenPerSecond), { calls: 0, seconds: 0 });
});

test('a slow limit is felt', () => {
  assert.equal(estimate(changesFor(5), { calls: 1, perMs: 60_000, concurrency: 1 }), { calls: 5, seconds: 240 });
});

test('what is held makes no call', () => {
  const desired = desiredState([wanted('a', 'test', { state: 'offline' })], { protectedNames: ['test'] });
  assert.equal(estimate(plan(desired, recordedState([recorded('a', 'test')])).changes, tenPerSecond), { calls: 0, seconds: 0 });
});

test.run();
