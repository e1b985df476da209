import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { planDigest } from '../../src/core/digest.ts';
import { type Plan, plan } from '../../src/core/plan.ts';
import { desiredState, gatewaySettings, recorded, recordedState, wanted } from '../support/states.ts';

const orders = wanted('orders', 'test', { revision: 'r1', remark: 'note' });
const invoices = wanted('invoices', 'release');
const base = plan(desiredState([orders, invoices]), new Map());

test('is a SHA-256 in hexadecimal', () => {
  assert.match(planDigest(base), /^sha256:[0-9a-f]{64}$/);
});

test('the same work has the same digest under other names, from other lines, in another order, held or not', () => {
  const renamed = [invoices, { ...orders, api: 'zzz', environment: 'other', source: { file: 'b.yaml', line: 9, column: 9 } }];
  assert.is(planDigest(plan(desiredState(renamed), new Map())), planDigest(base));
  const down = [wanted('orders', 'test', { state: 'offline' })];
  const before = recordedState([recorded('orders', 'test')]);
  const held = plan(desiredState(down, { protectedNames: ['test'] }), before);
  assert.ok(held.changes[0]?.held);
  assert.is(planDigest(held), planDigest(plan(desiredState(down), before)));
});

const otherWork: readonly [string, Plan][] = [
  ['another revision', plan(desiredState([{ ...orders, revision: 'r2' }, invoices]), new Map())],
  ['another remark', plan(desiredState([{ ...orders, remark: null }, invoices]), new Map())],
  ['another API', plan(desiredState([wanted('carts', 'test'), invoices]), new Map())],
  ['one change less', plan(desiredState([invoices]), new Map())],
  ['another recorded state', plan(desiredState([orders, invoices]), recordedState([recorded('orders', 'test', { state: 'offline' })]))],
  ['another endpoint', plan(desiredState([orders, invoices], { gateway: gatewaySettings({ endpoint: 'https://other' }) }), new Map())],
  ['another project', plan(desiredState([orders, invoices], { gateway: gatewaySettings({ project: 'other' }) }), new Map())],
  ['another instance', plan(desiredState([orders, invoices], { gateway: gatewaySettings({ instance: 'other' }) }), new Map())],
];
for (const [name, other] of otherWork) test(`${name} gives another digest`, () => assert.is.not(planDigest(other), planDigest(base)));

test.run();
