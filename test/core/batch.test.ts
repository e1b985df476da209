import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { callOf } from '../../src/core/batch.ts';
import { change } from '../support/states.ts';

test('changes of one environment, action and remark may go in one call', () => {
  assert.is(callOf(change('a', 'test')), callOf(change('b', 'test', { reason: 'revision', revision: 'r2' })));
  const others = [change('b', 'release'), change('b', 'test', { action: 'offline' }), change('b', 'test', { remark: 'x' })];
  for (const other of others) assert.is.not(callOf(change('a', 'test')), callOf(other));
});

test('a switch to a version needs a call of its own', () => {
  assert.is(callOf(change('a', 'test', { version: 'v1' })), null);
});

test.run();
