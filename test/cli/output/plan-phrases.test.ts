import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { formatCost, formatSource, formatUnmanaged, newlyUnmanagedAside } from '../../../src/cli/output/plan-phrases.ts';
import { noColor } from '../../../src/cli/output/terminal.ts';
import { diffStates } from '../../../src/plan/diff.ts';
import { change, desiredState, gatewaySettings, recorded, recordedState, wanted } from '../../support/states.ts';

const inSync = diffStates(desiredState([wanted('orders', 'test')]), recordedState([recorded('orders', 'test')]));

test('a source is file and line, and empty for a removed publication', () => {
  assert.is(formatSource(change('orders', 'test')), 'edict.yaml:1');
  assert.is(formatSource({ source: null }), '');
});

test('a long plan suggests batches', () => {
  const changes = Array.from({ length: 200 }, (_, index) => change(`a${index}`, 'test'));
  const words = formatCost({ ...inSync, changes }, desiredState([]));
  assert.match(words, /^200 calls, about .* at 10 calls\/s\. With `gateway\.batch: 100`: 2 calls/);
  const batched = formatCost({ ...inSync, changes }, desiredState([], { gateway: gatewaySettings({ batchSize: 100 }) }));
  assert.match(batched, /^2 calls, about .* at 10 calls\/s\.$/);
});

const unmanaged = (count: number) => Array.from({ length: count }, (_, index) => recorded(`a${index}`, 'test'));

test('unmanaged publications are listed, and beyond 20 only if all are asked for', () => {
  assert.equal(formatUnmanaged(inSync, false, noColor), []);
  const few = formatUnmanaged({ ...inSync, unmanaged: unmanaged(2) }, false, noColor);
  assert.equal(few, ['Unmanaged: online at the gateway, not in the file (2)', '  · a0  test', '  · a1  test']);
  const many = formatUnmanaged({ ...inSync, unmanaged: unmanaged(25) }, false, noColor);
  assert.equal([many.length, many.at(-1)], [22, '  … and 5 more; --unmanaged lists all']);
  assert.is(formatUnmanaged({ ...inSync, unmanaged: unmanaged(25) }, true, noColor).length, 26);
});

test('publications that have just left the file are said to become unmanaged', () => {
  assert.is(newlyUnmanagedAside(inSync), '');
  assert.is(newlyUnmanagedAside({ newlyUnmanaged: unmanaged(1) }), '; 1 publication becomes unmanaged, and stays online');
  assert.is(newlyUnmanagedAside({ newlyUnmanaged: unmanaged(2) }), '; 2 publications become unmanaged, and stay online');
});

test.run();
