import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { batchKey, sortByBatch } from '../../src/plan/batch.ts';
import { change } from '../support/states.ts';

test('changes of one environment, action and remark may share a call', () => {
  assert.is(batchKey(change('a', 'test')), batchKey(change('b', 'test', { reason: 'revision', revision: 'r2' })));
  const others = [change('b', 'release'), change('b', 'test', { action: 'offline' }), change('b', 'test', { remark: 'x' })];
  for (const other of others) assert.is.not(batchKey(change('a', 'test')), batchKey(other));
});

test('a switch to a version needs a call of its own', () => {
  assert.is(batchKey(change('a', 'test', { version: 'v1' })), null);
});

test('changes that may share a call come together, and none is lost', () => {
  const changes = [
    change('a', 'test'),
    change('a', 'release'),
    change('b', 'test'),
    change('c', 'test', { version: 'v' }),
    change('b', 'release'),
  ];
  const names = sortByBatch(changes, 10).map(({ api, environment }) => `${api} ${environment}`);
  assert.equal(names, ['a test', 'b test', 'a release', 'b release', 'c test']);
  assert.is(sortByBatch(changes, 1), changes);
});

test.run();
