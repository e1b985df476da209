import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { diffStates } from '../../src/plan/diff.ts';
import { estimateCost } from '../../src/plan/estimate.ts';
import { desiredState, recorded, recordedState, wanted } from '../support/states.ts';

const changesFor = (count: number) =>
  diffStates(desiredState(Array.from({ length: count }, (_, index) => wanted(`api${index}`, 'test'))), new Map()).changes;
const tenPerSecond = { limit: { calls: 10, perMs: 1000, concurrency: 4 }, batchSize: 1 };

test('three calls at ten a second take 0.2 s', () => {
  assert.equal(estimateCost(changesFor(3), tenPerSecond), { calls: 3, seconds: 0.2, batched: { calls: 1, seconds: 0 } });
});

test('an empty plan takes no time', () => {
  assert.equal(estimateCost([], tenPerSecond), { calls: 0, seconds: 0, batched: null });
});

test('a slow limit increases the time, and a batch reduces it', () => {
  const slow = { limit: { calls: 1, perMs: 60_000, concurrency: 1 } };
  assert.is(estimateCost(changesFor(5), { ...slow, batchSize: 1 }).seconds, 240);
  assert.equal(estimateCost(changesFor(5), { limit: { calls: 1, perMs: 60_000, concurrency: 1 }, batchSize: 5 }), {
    calls: 1,
    seconds: 0,
    batched: null,
  });
});

test('a held change makes no call', () => {
  const desired = desiredState([wanted('a', 'test', { state: 'offline' })], { protectedNames: ['test'] });
  assert.equal(estimateCost(diffStates(desired, recordedState([recorded('a', 'test')])).changes, tenPerSecond), {
    calls: 0,
    seconds: 0,
    batched: null,
  });
});

test('a batch has changes of one environment, action and remark, and no switch to a version', () => {
  const publications = [
    ...['a', 'b', 'c', 'd'].map((api) => wanted(api, 'test')),
    wanted('e', 'release'),
    wanted('f', 'test', { remark: 'x' }),
    wanted('g', 'test', { version: 'v1' }),
    wanted('h', 'test', { version: 'v2' }),
  ];
  const { calls } = estimateCost(diffStates(desiredState(publications), new Map()).changes, { ...tenPerSecond, batchSize: 3 });
  assert.is(calls, 2 + 1 + 1 + 2);
});

test.run();
