import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { assertNotStale, type PlanReconciliationDeps, planReconciliation } from '../../src/controller/planner.ts';
import { StalePlanError } from '../../src/model/saved-plan-diff.ts';
import { toSavedPlan } from '../../src/plan/saved-plan.ts';
import { allTargets } from '../../src/plan/targets.ts';
import type { Store } from '../../src/store/interface.ts';
import { type ControllerFixture, openController } from '../support/controller-fixture.ts';
import { lastAttempts, noPast, plannedAtMs, savedFrom } from '../support/saved-plans.ts';
import { desiredState, lastObservation, recorded, recordedState, wanted } from '../support/states.ts';

const desired = desiredState([wanted('orders', 'test'), wanted('carts', 'test')]);
const clock = { now: () => plannedAtMs };

function deps(over: Partial<PlanReconciliationDeps> = {}): PlanReconciliationDeps {
  const store = {
    readRecordedState: async () => recordedState([]),
    previousState: async () => noPast,
    lastAttempts: async () => lastAttempts(),
    // What is new would be held if nobody had looked.
    lastObservation: async () => lastObservation(2, { observedAtMs: plannedAtMs }),
  };
  return {
    store,
    clock,
    targets: allTargets,
    saved: null,
    probes: new Map(),
    refresh: 'due',
    isEmulated: false,
    unobserved: null,
    ...over,
  };
}

const recordedAs = (...given: Parameters<typeof recordedState>) => ({
  ...deps().store,
  readRecordedState: async () => recordedState(...given),
});

test('plans from the recorded state', async () => {
  assert.is((await planReconciliation(() => desired, true, deps())).plan.changes.length, 2);
  const store = recordedAs([recorded('orders', 'test')]);
  assert.is((await planReconciliation(() => desired, true, deps({ store }))).plan.changes.length, 1);
});

test('uses the file that is current when the recorded state has been read', async () => {
  let newest = desired;
  const store = {
    ...deps().store,
    readRecordedState: async () => {
      newest = desiredState([wanted('orders', 'test')]);
      return recordedState([]);
    },
  };
  assert.is((await planReconciliation(() => newest, true, deps({ store }))).plan.changes.length, 1);
});

test('a stale saved plan is rejected in the first reconciliation; later ones skip its stale changes', async () => {
  const saved = savedFrom(desired, recordedState([]));
  const store = recordedAs([recorded('orders', 'test', { state: 'offline' })]);
  const first = await planReconciliation(() => desired, true, deps({ saved, store })).catch((error: unknown) => error);
  assert.instance(first, StalePlanError);
  assert.equal(
    (first as StalePlanError).staleChanges.map(({ api }) => api),
    ['orders'],
  );
  const { plan: later } = await planReconciliation(() => desired, false, deps({ saved, store }));
  assert.equal(
    later.changes.map(({ api }) => api),
    ['carts'],
  );
});

test('a plan without a saved plan is never stale', async () => {
  const { plan } = await planReconciliation(() => desired, true, deps());
  assert.not.throws(() => assertNotStale(plan, savedFrom(desired, recordedState([]))));
});

/** Returns the saved plan of `states`. */
async function savedIn({ store, desire }: ControllerFixture, states: Parameters<ControllerFixture['desire']>[0]) {
  const wantedNow = desire(states);
  const recordedNow = await store.readRecordedState(wantedNow.gateway);
  const { plan } = await planReconciliation(
    () => wantedNow,
    true,
    deps({ store: { ...deps().store, readRecordedState: async () => recordedNow } }),
  );
  return toSavedPlan(
    plan,
    { recorded: recordedNow, attempts: new Map() },
    { isConfirmed: false, isEmulated: false, isRefreshed: false, createdAtMs: 0 },
  );
}

test('the controller makes the changes of a saved plan and no others, on retries too', async () => {
  await using planning = await openController({ apis: ['a', 'b'] });
  const saved = await savedIn(planning, { a: 'online', b: 'online' });
  await using fixture = await openController({ apis: ['a', 'b', 'c'], saved, maxTries: 4 });
  fixture.emulator.faults.add({ times: 1, status: 503, errorCode: 'APIC.7701', errorMsg: 'busy' });
  await fixture.controller.reconcile(fixture.desire({ a: 'online', b: 'online', c: 'online' }), 'startup');
  await fixture.controller.idle();
  assert.equal([...new Set(fixture.requested())].toSorted(), ['a online', 'b online']);
  assert.is(fixture.requested().length, 3);
  assert.equal(
    fixture.emulator.state
      .publications()
      .map(({ api, onlineCalls }) => [api, onlineCalls])
      .toSorted(),
    [
      ['api-a', 1],
      ['api-b', 1],
    ],
  );
});

test('the controller sends nothing of a stale saved plan', async () => {
  await using planning = await openController({ apis: ['a', 'b'] });
  const saved = await savedIn(planning, { a: 'online', b: 'online' });
  await using fixture = await openController({ apis: ['a', 'b'], saved });
  const refused = await fixture.controller
    .reconcile(fixture.desire({ a: 'online', b: { revision: '2' } }), 'startup')
    .catch((error: unknown) => error);
  assert.instance(refused, StalePlanError);
  await fixture.controller.idle();
  assert.equal(fixture.requested(), []);
});

test('a change whose recorded state changes between plan and call is not made', async () => {
  await using planning = await openController({ apis: ['a', 'b'] });
  const saved = await savedIn(planning, { a: 'online', b: 'online' });
  const moved = recorded('b', 'test', { state: 'offline' });
  const wrapStore = (store: Store): Store =>
    new Proxy(store, {
      get: (target, name) => {
        if (name === 'readPublication')
          return async (...of: Parameters<Store['readPublication']>) => (of[1] === moved.key ? moved : target.readPublication(...of));
        const member: unknown = Reflect.get(target, name);
        return typeof member === 'function' ? member.bind(target) : member;
      },
    });
  await using fixture = await openController({ apis: ['a', 'b'], saved, wrapStore });
  await fixture.controller.reconcile(fixture.desire({ a: 'online', b: 'online' }), 'startup');
  await fixture.controller.idle();
  assert.equal(fixture.requested(), ['a online']);
});

test.run();
