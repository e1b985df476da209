import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Plan } from '../../src/model/change.ts';
import { diffStates } from '../../src/plan/diff.ts';
import { planDigest } from '../../src/plan/digest.ts';
import { desiredState, gatewaySettings, recorded, recordedState, wanted } from '../support/states.ts';

const orders = wanted('orders', 'test', { revision: 'r1', remark: 'note' });
const invoices = wanted('invoices', 'release');
const base = diffStates(desiredState([orders, invoices]), new Map());

test('is a SHA-256 in hexadecimal', () => {
  assert.match(planDigest(base), /^sha256:[0-9a-f]{64}$/);
});

test('the same changes have the same digest under other names, from other lines, in another order, held or not', () => {
  const renamed = [invoices, { ...orders, api: 'zzz', environment: 'other', source: { file: 'b.yaml', line: 9, column: 9 } }];
  assert.is(planDigest(diffStates(desiredState(renamed), new Map())), planDigest(base));
  const down = [wanted('orders', 'test', { state: 'offline' })];
  const before = recordedState([recorded('orders', 'test')]);
  const held = diffStates(desiredState(down, { protectedNames: ['test'] }), before);
  assert.ok(held.changes[0]?.held);
  assert.is(planDigest(held), planDigest(diffStates(desiredState(down), before)));
});

const otherWork: readonly [string, Plan][] = [
  ['another revision', diffStates(desiredState([{ ...orders, revision: 'r2' }, invoices]), new Map())],
  ['another remark', diffStates(desiredState([{ ...orders, remark: null }, invoices]), new Map())],
  ['another API', diffStates(desiredState([wanted('carts', 'test'), invoices]), new Map())],
  ['one change less', diffStates(desiredState([invoices]), new Map())],
  [
    'another recorded state',
    diffStates(desiredState([orders, invoices]), recordedState([recorded('orders', 'test', { state: 'offline' })])),
  ],
  [
    'another endpoint',
    diffStates(desiredState([orders, invoices], { gateway: gatewaySettings({ endpoint: 'https://other' }) }), new Map()),
  ],
  ['another project', diffStates(desiredState([orders, invoices], { gateway: gatewaySettings({ project: 'other' }) }), new Map())],
  ['an emulated gateway', { ...base, isEmulated: true }],
  ['another instance', diffStates(desiredState([orders, invoices], { gateway: gatewaySettings({ instance: 'other' }) }), new Map())],
];
for (const [name, other] of otherWork) test(`${name} gives another digest`, () => assert.is.not(planDigest(other), planDigest(base)));

test.run();
