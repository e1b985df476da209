import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Plan, plan } from '../../src/core/plan.ts';
import { Permits, type PermitsDeps } from '../../src/engine/permits.ts';
import { savedFrom } from '../support/saved-plans.ts';
import { change, desiredState, recorded, recordedState, wanted } from '../support/states.ts';

const clock = { now: () => 100 };
const desired = desiredState([wanted('orders', 'test'), wanted('carts', 'test')]);
const made = plan(desired, recordedState([]));
const orders = change('orders', 'test');

function deps(over: Partial<PermitsDeps> = {}): PermitsDeps {
  return { clock, saved: null, desired: () => desired, onOver: () => {}, ...over };
}

test('nothing may be done before there is a plan, and then what it makes', () => {
  const permits = new Permits(deps());
  assert.is(permits.of(orders, undefined), null);
  permits.replace(made);
  assert.is(permits.of(orders, undefined)?.key, orders.key);
  permits.replace({ ...made, changes: [] });
  assert.is(permits.of(orders, undefined), null);
});

test('what is held or waits may not be done', () => {
  const permits = new Permits(deps());
  const held = { rule: 'protected', message: '', hint: '' } as const;
  const waits = { rule: 'freeze', message: '', untilMs: null } as const;
  for (const why of [{ held }, { waits }]) {
    permits.replace({ ...made, changes: made.changes.map((one) => ({ ...one, ...why })) });
    assert.is(permits.of(orders, undefined), null);
  }
});

test('an approval that has expired since allows nothing', () => {
  const released = (expiresAtMs: number): Plan => {
    const approval = { id: 1, by: 'ada', why: 'agreed', expiresAtMs };
    return { ...made, changes: made.changes.map((one) => ({ ...one, approval })) };
  };
  const permits = new Permits(deps());
  permits.replace(released(101));
  assert.ok(permits.of(orders, undefined));
  permits.replace(released(100));
  assert.is(permits.of(orders, undefined), null);
});

test('a freeze that has begun since allows nothing, and asks for another plan', () => {
  let asked = 0;
  let endMs: number | null = null;
  const frozen = { ...desired, freezes: [{ name: null, reason: null, environmentIds: null, endMs: () => endMs }] };
  const permits = new Permits(deps({ desired: () => frozen, onOver: () => (asked += 1) }));
  permits.replace(made);
  assert.ok(permits.of(orders, undefined));
  assert.is(asked, 0);
  endMs = 101;
  assert.is(permits.of(orders, undefined), null);
  assert.is(asked, 1);
});

test('with a saved plan only what it has may be done, and only while the record is what it rests on', () => {
  const saved = savedFrom(desiredState([wanted('orders', 'test')]), recordedState([]));
  const permits = new Permits(deps({ saved }));
  permits.replace(made);
  assert.ok(permits.of(orders, undefined));
  assert.is(permits.of(orders, recorded('orders', 'test', { state: 'offline' })), null);
  assert.is(permits.of(change('carts', 'test'), undefined), null);
});

test.run();
