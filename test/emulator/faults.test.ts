import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Fault, FaultInjector } from '../../src/emulator/faults.ts';
import { seededRandom } from '../../src/emulator/random.ts';
import { Throttle } from '../../src/emulator/throttle.ts';

const open = (): FaultInjector => new FaultInjector(seededRandom(1));
const fault = (more: object = {}): Fault => ({ times: 1, status: 500, errorCode: 'APIG.9999', errorMsg: 'System error', ...more });
const callFor = (apiId: string) => ({ operation: 'changePublication', apiId });
const codeOf = (taken: Fault | null) => taken && 'errorCode' in taken && taken.errorCode;

test('without faults none applies', () => {
  const faults = open();
  assert.is(faults.take(callFor('a')), null);
  assert.is(faults.latencyMs, 0);
});

test('a fault applies as often as it says', () => {
  const faults = open();
  const thrice = fault({ times: 3 });
  faults.add(thrice);
  const taken = Array.from({ length: 5 }, () => faults.take(callFor('a')));
  assert.equal(taken, [thrice, thrice, thrice, null, null]);
});

test('faults apply in the order in which they were added', () => {
  const faults = open();
  for (const errorCode of ['1', '2', '3']) faults.add(fault({ errorCode }));
  assert.equal(
    ['a', 'b', 'c'].map((api) => codeOf(faults.take(callFor(api)))),
    ['1', '2', '3'],
  );
});

test('a fault for one API waits for it and does not affect others', () => {
  const faults = open();
  faults.add(fault({ apiId: 'a', errorCode: 'for a' }));
  faults.add(fault({ errorCode: 'for all' }));
  assert.is(codeOf(faults.take(callFor('b'))), 'for all');
  assert.is(faults.take(callFor('b')), null);
  assert.is(codeOf(faults.take(callFor('a'))), 'for a');
  assert.is(faults.take(callFor('a')), null);
});

test('a fault without an operation applies to changes', () => {
  const faults = open();
  faults.add(fault({ errorCode: 'change' }));
  faults.add(fault({ errorCode: 'list', operation: 'listVersions' }));
  faults.add(fault({ errorCode: 'all', operation: '*' }));
  assert.is(codeOf(faults.take({ operation: 'createToken' })), 'all');
  assert.is(faults.take({ operation: 'createToken' }), null);
  assert.is(codeOf(faults.take({ operation: 'listVersions', apiId: 'a' })), 'list');
  assert.is(codeOf(faults.take(callFor('a'))), 'change');
});

test('a fault with a share affects that part of the calls, and the same ones each time', () => {
  const strikes = (): boolean[] => {
    const faults = open();
    faults.add({ kind: 'cut', share: 0.2 });
    return Array.from({ length: 10_000 }, () => faults.take(callFor('a')) !== null);
  };
  const struck = strikes().filter(Boolean).length;
  assert.ok(struck > 1_800 && struck < 2_200, String(struck));
  assert.equal(strikes(), strikes());
});

test('a fault for an environment affects only that one, and only the API that it names', () => {
  const faults = open();
  faults.add(fault({ times: 9, environmentId: 'staging', apiId: 'a' }));
  const struck = (apiId: string, environmentId?: string): boolean => faults.take({ ...callFor(apiId), environmentId }) !== null;
  assert.equal([struck('a', 'test'), struck('b', 'staging'), struck('a'), struck('a', 'staging')], [false, false, false, true]);
});

test('a share of 0 affects no call and a share of 1 every call', () => {
  const faults = open();
  faults.add({ kind: 'cut', share: 0 });
  faults.add({ kind: 'hang', share: 1 });
  for (let call = 1; call <= 100; call += 1) assert.is(faults.take(callFor('a'))?.kind, 'hang');
});

test('a latency range gives any value in it', () => {
  const faults = open();
  assert.is(faults.nextDelayMs(), 0);
  faults.latencyMs = 7;
  assert.is(faults.nextDelayMs(), 7);
  faults.latencyMs = { minMs: 20, maxMs: 30 };
  const delays = Array.from({ length: 1_000 }, () => faults.nextDelayMs());
  assert.ok(Math.min(...delays) >= 20 && Math.min(...delays) < 21 && Math.max(...delays) > 29 && Math.max(...delays) <= 30);
});

test('clearing removes faults, latency and throttle', () => {
  const faults = open();
  faults.add(fault({ times: 9 }));
  faults.add({ kind: 'cut', share: 1 });
  faults.latencyMs = 50;
  faults.throttle = new Throttle({ calls: 1, perMs: 1_000 });
  faults.clear();
  assert.is(faults.take(callFor('a')), null);
  assert.is(faults.nextDelayMs(), 0);
  assert.is(faults.throttle, null);
});

test('the given fault is not changed', () => {
  const given = Object.freeze(fault({ times: 2 }));
  const faults = open();
  faults.add(given);
  faults.take(callFor('a'));
  assert.is(given.times, 2);
});

test.run();
