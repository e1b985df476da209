import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { formatCost, formatSource, formatTotals, formatUnchanged } from '../../../src/cli/output/plan-phrases.ts';
import { diffStates } from '../../../src/plan/diff.ts';
import { change, desiredState, gatewaySettings, recorded, recordedState, wanted } from '../../support/states.ts';

const inSync = diffStates(desiredState([wanted('orders', 'test')]), recordedState([recorded('orders', 'test')]));
const hold = { rule: 'protected', message: 'no', hint: 'ask' } as const;
const wait = { rule: 'freeze', message: 'frozen', untilMs: null } as const;

test('a source is file and line, and empty for a removed publication', () => {
  assert.is(formatSource(change('orders', 'test')), 'edict.yaml:1');
  assert.is(formatSource({ source: null }), '');
});

test('unchanged publications are counted', () => {
  assert.is(formatUnchanged(inSync), '1 publication matches the file.');
  assert.is(formatUnchanged({ ...inSync, unchanged: 1200 }), '1,200 publications match the file.');
});

test('each change is counted once, as held before deferred', () => {
  const changes = [
    change('a', 'test'),
    change('b', 'test', { action: 'offline' }),
    change('c', 'test', { held: hold, deferred: wait }),
    change('d', 'test', { deferred: wait }),
  ];
  assert.is(formatTotals({ ...inSync, changes }), '4 changes: 1 online, 1 offline, 1 held, 1 deferred, 1 unchanged.');
  assert.is(formatTotals(inSync), '0 changes: 0 online, 0 offline, 1 unchanged.');
});

test('a long plan suggests batches', () => {
  const changes = Array.from({ length: 200 }, (_, index) => change(`a${index}`, 'test'));
  const words = formatCost({ ...inSync, changes }, desiredState([]));
  assert.match(words, /^200 calls, about .* at 10 calls\/s\. With `gateway\.batch: 100`: 2 calls/);
  const batched = formatCost({ ...inSync, changes }, desiredState([], { gateway: gatewaySettings({ batchSize: 100 }) }));
  assert.match(batched, /^2 calls, about .* at 10 calls\/s\.$/);
});

test.run();
