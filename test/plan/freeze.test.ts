import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { DesiredState, Freeze, Suspension } from '../../src/model/desired-state.ts';
import { diffStates } from '../../src/plan/diff.ts';
import { applyFreezes, freezeFor, isFrozen } from '../../src/plan/freeze.ts';
import { applyRollout } from '../../src/plan/rollout.ts';
import { desiredState, rolloutOf, wanted } from '../support/states.ts';

const test = suite('freeze');

function freeze(fromMs: number, toMs: number, over: Partial<Freeze> = {}): Freeze {
  const endsAtMs = (nowMs: number): number | null => (fromMs <= nowMs && nowMs < toMs ? toMs : null);
  return { name: null, reason: null, environmentIds: null, endsAtMs, ...over };
}

const suspension = (untilMs: number | null, over: Partial<Suspension> = {}): Suspension => ({
  reason: 'migration',
  by: null,
  sinceMs: null,
  untilMs,
  ...over,
});
const publications = ['orders', 'carts'].flatMap((api) => ['test', 'release'].map((environment) => wanted(api, environment)));

function waiting(desired: DesiredState, nowMs: number): Record<string, number | null> {
  const { changes } = applyFreezes(diffStates(desired, new Map()), desired, nowMs);
  return Object.fromEntries(
    changes.flatMap(({ api, environment, deferred }) => (deferred ? [[`${api} ${environment}`, deferred.untilMs]] : [])),
  );
}

test('a freeze defers changes until it is over, in the environments that it names', () => {
  const desired = desiredState(publications, { freezes: [freeze(10, 20, { environmentIds: new Set(['env-release']) })] });
  assert.equal(waiting(desired, 9), {});
  assert.equal(waiting(desired, 10), { 'carts release': 20, 'orders release': 20 });
  assert.equal(waiting(desired, 19), { 'carts release': 20, 'orders release': 20 });
  assert.equal(waiting(desired, 20), {});
});

test('freezes that overlap or touch are one, even with a suspension between them', () => {
  const freezes = [freeze(10, 20), freeze(15, 30), freeze(40, 50)];
  const desired = desiredState([wanted('orders', 'test')], { freezes });
  assert.equal(waiting(desired, 12), { 'orders test': 30 });
  assert.equal(waiting({ ...desired, suspension: suspension(40) }, 12), { 'orders test': 50 });
});

test('a freeze without an end has no due time', () => {
  const desired = desiredState([wanted('orders', 'test')], { freezes: [freeze(10, Number.POSITIVE_INFINITY)] });
  assert.equal(waiting(desired, 12), { 'orders test': null });
  const endless = desiredState([wanted('orders', 'test')], { freezes: [{ ...freeze(0, 1), endsAtMs: (nowMs) => nowMs + 1 }] });
  assert.equal(waiting(endless, 12), { 'orders test': null });
});

test('the file, an environment and an API can be suspended, for a time or without an end', () => {
  const desired = desiredState(publications);
  assert.equal(Object.values(waiting({ ...desired, suspension: suspension(20) }, 10)), [20, 20, 20, 20]);
  assert.equal(waiting({ ...desired, suspension: suspension(20) }, 20), {});
  assert.equal(waiting({ ...desired, suspendedApis: new Map([['api-orders', suspension(null)]]) }, 10), {
    'orders release': null,
    'orders test': null,
  });
  const release = desired.environments.get('env-release');
  if (!release) throw new Error('release is declared');
  const environments = new Map([...desired.environments, ['env-release', { ...release, suspension: suspension(30) }] as const]);
  assert.equal(waiting({ ...desired, environments }, 10), { 'carts release': 30, 'orders release': 30 });
});

test('whether changes are frozen is known without looking for the end', () => {
  let asked = 0;
  const endsAtMs = (nowMs: number): number | null => {
    asked += 1;
    return nowMs < 10 ? null : nowMs + 1;
  };
  const endless: Freeze = { ...freeze(0, 1), endsAtMs };
  const desired = desiredState([], { freezes: [endless] });
  const place = { apiId: 'api-orders', environmentId: 'env-test' };
  assert.equal([isFrozen(place, desired, 9), isFrozen(place, desired, 10)], [false, true]);
  assert.is(asked, 2);
  assert.equal([freezeFor(place, desired, 9), freezeFor(place, desired, 10)?.untilMs], [null, null]);
  assert.is(isFrozen(place, { ...desired, freezes: [], suspension: suspension(20) }, 20), false);
});

test('a calendar is slow to evaluate, so it is evaluated per environment and not per API', () => {
  let asked = 0;
  const endsAtMs = (nowMs: number): number | null => {
    asked += 1;
    return nowMs < 9 ? 9 : null;
  };
  const costly: Freeze = { ...freeze(0, 9), endsAtMs };
  const apis = Array.from({ length: 500 }, (_, index) => `a${index}`);
  const many = apis.flatMap((api) => [wanted(api, 'test'), wanted(api, 'release')]);
  const suspendedApis = new Map([['api-a0', suspension(20)]]);
  const found = waiting({ ...desiredState(many, { freezes: [costly] }), suspendedApis }, 1);
  assert.equal([found['a0 test'], found['a1 test'], Object.keys(found).length], [20, 9, 1000]);
  assert.ok(asked < 20, `asked ${asked} times`);
});

test('says who suspended it and why', () => {
  const place = { apiId: 'api-orders', environmentId: 'env-test' };
  const desired = desiredState([], { freezes: [freeze(0, 9, { name: 'weekend', reason: 'nobody is there' })] });
  assert.equal(freezeFor(place, desired, 1), { rule: 'freeze', message: 'frozen (weekend, nobody is there)', untilMs: 9 });
  assert.is(freezeFor(place, desiredState([], { freezes: [freeze(0, 9)] }), 1)?.message, 'frozen');
  const deferral = freezeFor(place, { ...desired, suspension: suspension(null, { by: 'ada' }) }, 1);
  assert.equal(deferral, { rule: 'suspended', message: 'suspended by ada (migration)', untilMs: null });
});

test('a held change stays held, and is deferred too', () => {
  const desired = desiredState([wanted('orders', 'test')], { freezes: [freeze(0, 9)] });
  const made = diffStates(desired, new Map());
  const held = { rule: 'protected', message: '', hint: '' } as const;
  const [change] = applyFreezes({ ...made, changes: made.changes.map((one) => ({ ...one, held })) }, desired, 1).changes;
  assert.equal([change?.held?.rule, change?.deferred?.rule], ['protected', 'freeze']);
});

test('a change deferred by a freeze defers the later rollout steps', () => {
  const freezes = [freeze(0, 9, { environmentIds: new Set(['env-test']) })];
  const desired = desiredState(publications, { freezes, rollout: rolloutOf('test', 'release') });
  const { changes } = applyRollout(applyFreezes(diffStates(desired, new Map()), desired, 1), {
    desired,
    recorded: new Map(),
    probes: new Map(),
    nowMs: 1,
  });
  assert.equal(
    changes.map(({ environment, deferred }) => `${environment} ${deferred?.rule}`),
    ['release rollout', 'test freeze', 'release rollout', 'test freeze'],
  );
});

test.run();
