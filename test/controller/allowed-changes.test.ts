import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { AllowedChanges, type AllowedChangesDeps } from '../../src/controller/allowed-changes.ts';
import type { Plan } from '../../src/model/change.ts';
import { diffStates } from '../../src/plan/diff.ts';
import { savedFrom } from '../support/saved-plans.ts';
import { change, desiredState, recorded, recordedState, wanted } from '../support/states.ts';

const clock = { now: () => 100 };
const desired = desiredState([wanted('orders', 'test'), wanted('carts', 'test')]);
const made = diffStates(desired, recordedState([]));
const orders = change('orders', 'test');

function deps(over: Partial<AllowedChangesDeps> = {}): AllowedChangesDeps {
  return { clock, saved: null, desired: () => desired, onExpired: () => {}, ...over };
}

test('nothing is allowed before there is a plan, and then the changes in it', () => {
  const permits = new AllowedChanges(deps());
  assert.is(permits.get(orders, undefined), null);
  permits.setPlan(made);
  assert.is(permits.get(orders, undefined)?.key, orders.key);
  permits.setPlan({ ...made, changes: [] });
  assert.is(permits.get(orders, undefined), null);
});

test('held and deferred changes are not allowed', () => {
  const permits = new AllowedChanges(deps());
  const held = { rule: 'protected', message: '', hint: '' } as const;
  const deferred = { rule: 'freeze', message: '', untilMs: null } as const;
  for (const why of [{ held }, { deferred }]) {
    permits.setPlan({ ...made, changes: made.changes.map((one) => ({ ...one, ...why })) });
    assert.is(permits.get(orders, undefined), null);
  }
});

test('an approval that has expired since the plan allows nothing', () => {
  const released = (expiresAtMs: number): Plan => {
    const approval = { id: 1, by: 'ada', reason: 'agreed', expiresAtMs };
    return { ...made, changes: made.changes.map((one) => ({ ...one, approval })) };
  };
  const permits = new AllowedChanges(deps());
  permits.setPlan(released(101));
  assert.ok(permits.get(orders, undefined));
  permits.setPlan(released(100));
  assert.is(permits.get(orders, undefined), null);
});

test('a freeze that started since the plan allows nothing and triggers another plan', () => {
  let asked = 0;
  let endMs: number | null = null;
  const frozen = { ...desired, freezes: [{ name: null, reason: null, environmentIds: null, endsAtMs: () => endMs }] };
  const permits = new AllowedChanges(deps({ desired: () => frozen, onExpired: () => (asked += 1) }));
  permits.setPlan(made);
  assert.ok(permits.get(orders, undefined));
  assert.is(asked, 0);
  endMs = 101;
  assert.is(permits.get(orders, undefined), null);
  assert.is(asked, 1);
});

test('with a saved plan only its changes are allowed, and only while the recorded state is as it was when planned', () => {
  const saved = savedFrom(desiredState([wanted('orders', 'test')]), recordedState([]));
  const permits = new AllowedChanges(deps({ saved }));
  permits.setPlan(made);
  assert.ok(permits.get(orders, undefined));
  assert.is(permits.get(orders, recorded('orders', 'test', { state: 'offline' })), null);
  assert.is(permits.get(change('carts', 'test'), undefined), null);
});

test.run();
