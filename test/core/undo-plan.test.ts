import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { heldDigest, heldWork } from '../../src/core/guards.ts';
import type { WayBack } from '../../src/core/undo.ts';
import { undoPlan } from '../../src/core/undo-plan.ts';
import { noPast, plannedAtMs } from '../support/saved-plans.ts';
import { desiredState, recorded, recordedState, wanted } from '../support/states.ts';

const basis = { past: noPast, attempts: new Map(), probes: new Map(), nowMs: plannedAtMs, emulated: false };
const wayBack = (api: string, environment: string, over: Partial<WayBack> = {}): WayBack => {
  const { key, apiId, environmentId } = wanted(api, environment);
  return {
    ...{ key, api, apiId, environment, environmentId, attempt: 1, madeAtMs: 1 },
    ...{ to: 'offline', revision: null, version: null, asNew: null, mayHaveBeenOnline: false },
    ...over,
  };
};

test('only what is undone is in the plan, with a reason of its own', () => {
  const file = desiredState([wanted('orders', 'test', { revision: 'r2' }), wanted('carts', 'test'), wanted('users', 'test')]);
  const record = recordedState([recorded('orders', 'test', { revision: 'r2' }), recorded('users', 'test')]);
  const ways = [wayBack('orders', 'test', { to: 'online', version: 'old', revision: 'r1' }), wayBack('users', 'test')];
  const { plan, saved } = undoPlan(file, ways, { ...basis, recorded: record });
  assert.equal(
    plan.changes.map(({ api, action, reason, version, revision }) => [api, action, reason, version, revision]),
    [
      ['orders', 'online', 'undo', 'old', 'r1'],
      ['users', 'offline', 'undo', null, null],
    ],
  );
  assert.is(saved.changes.size, 2);
  assert.is(plan.kept, null);
});

test('what is protected is held, and an agreement to just that releases it', () => {
  const file = desiredState([wanted('orders', 'release')], { protectedNames: ['release'] });
  const record = recordedState([recorded('orders', 'release')]);
  const ways = [wayBack('orders', 'release')];
  const { plan } = undoPlan(file, ways, { ...basis, recorded: record });
  assert.is(plan.changes[0]?.held?.rule, 'protected');
  const approval = {
    ...{ id: 1, digest: heldDigest(plan) ?? '', by: 'ada', why: 'CHG-7', atMs: 1, expiresAtMs: plannedAtMs + 1 },
    ...{ work: heldWork(plan), done: new Set<never>(), isSpent: false },
  };
  const agreed = undoPlan(file, ways, { ...basis, recorded: record, past: { ...noPast, approvals: [approval] } });
  assert.is(agreed.plan.changes[0]?.held, null);
  assert.is(agreed.plan.approval?.by, 'ada');
  const other = { ...approval, work: ['["other"]'] };
  const refused = undoPlan(file, ways, { ...basis, recorded: record, past: { ...noPast, approvals: [other] } });
  assert.is(refused.plan.changes[0]?.held?.rule, 'protected');
});

test('the limits of what may go offline, freezes and suspicion hold for an undo', () => {
  const publications = ['a', 'b', 'c'].map((api) => wanted(api, 'test'));
  const record = recordedState(['a', 'b', 'c'].map((api) => recorded(api, 'test')));
  const ways = ['a', 'b', 'c'].map((api) => wayBack(api, 'test'));
  const guards = { maxOffline: { count: 1, share: null }, maxLost: { count: null, share: 0.3 } };
  const limited = undoPlan(desiredState(publications, { guards }), ways, { ...basis, recorded: record });
  assert.equal(
    limited.plan.changes.map(({ held }) => held?.rule),
    ['maxOffline', 'maxOffline', 'maxOffline'],
  );
  const freeze = {
    name: 'peak',
    reason: null,
    environmentIds: null,
    endMs: (nowMs: number) => (nowMs < 2 * plannedAtMs ? 2 * plannedAtMs : null),
  };
  const frozen = undoPlan(desiredState(publications, { freezes: [freeze] }), ways, { ...basis, recorded: record });
  assert.equal(
    frozen.plan.changes.map(({ waits }) => waits?.rule),
    ['freeze', 'freeze', 'freeze'],
  );
  const declared = new Map([...publications, wanted('d', 'test'), wanted('e', 'test'), wanted('f', 'test')].map(({ key }) => [key, '']));
  const lost = undoPlan(desiredState(publications, { guards }), ways, { ...basis, recorded: record, past: { ...noPast, declared } });
  assert.is(lost.plan.suspicion?.rule, 'lost');
});

test('a change of what left the file says no place in it', () => {
  const record = recordedState([recorded('orders', 'test', { state: 'offline', versionId: null })]);
  const { plan } = undoPlan(desiredState([]), [wayBack('orders', 'test', { to: 'online', version: 'old' })], {
    ...basis,
    recorded: record,
  });
  assert.equal(
    plan.changes.map(({ source, version }) => [source, version]),
    [[null, 'old']],
  );
});

test.run();
