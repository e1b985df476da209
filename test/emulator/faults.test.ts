import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Fault, Faults } from '../../src/emulator/faults.ts';

const fault = (more: Partial<Fault> = {}): Fault => ({ times: 1, status: 500, errorCode: 'APIG.9999', errorMsg: 'System error', ...more });

test('without faults there is none to take', () => {
  const faults = new Faults();
  assert.is(faults.take('a'), null);
  assert.is(faults.latencyMs, 0);
});

test('a fault is taken as often as it says', () => {
  const faults = new Faults();
  const thrice = fault({ times: 3 });
  faults.add(thrice);
  const taken = Array.from({ length: 5 }, () => faults.take('a'));
  assert.equal(taken, [thrice, thrice, thrice, null, null]);
});

test('faults are taken in the order in which they came', () => {
  const faults = new Faults();
  for (const errorCode of ['1', '2', '3']) faults.add(fault({ errorCode }));
  assert.equal(
    ['a', 'b', 'c'].map((api) => faults.take(api)?.errorCode),
    ['1', '2', '3'],
  );
});

test('a fault for one API waits for it and lets others pass', () => {
  const faults = new Faults();
  faults.add(fault({ apiId: 'a', errorCode: 'for a' }));
  faults.add(fault({ errorCode: 'for all' }));
  assert.is(faults.take('b')?.errorCode, 'for all');
  assert.is(faults.take('b'), null);
  assert.is(faults.take('a')?.errorCode, 'for a');
  assert.is(faults.take('a'), null);
});

test('clearing forgets faults and latency', () => {
  const faults = new Faults();
  faults.add(fault({ times: 9 }));
  faults.latencyMs = 50;
  faults.clear();
  assert.is(faults.take('a'), null);
  assert.is(faults.latencyMs, 0);
});

test('the fault that was given is left as it was', () => {
  const given = Object.freeze(fault({ times: 2 }));
  const faults = new Faults();
  faults.add(given);
  faults.take('a');
  assert.is(given.times, 2);
});

test.run();
