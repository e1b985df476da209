import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Approval, PreviousState } from '../../src/model/approval.ts';
import type { Plan } from '../../src/model/change.ts';
import type { DesiredPublication, DesiredState, Threshold } from '../../src/model/desired-state.ts';
import { addressOf, type GatewayMove } from '../../src/model/gateway.ts';
import { maxListedUnmanaged, type Unobserved } from '../../src/model/observation.ts';
import type { RecordedPublication, RecordedState } from '../../src/model/recorded-state.ts';
import { diffStates, isActionable } from '../../src/plan/diff.ts';
import { planDigest } from '../../src/plan/digest.ts';
import { computePlan } from '../../src/plan/planner.ts';
import {
  allowedCount,
  applyApprovals,
  applyPolicies,
  approvalDigest,
  approvalScope,
  awaitFirstLook,
  gatewayApproval,
  gatewayHold,
  unlookedKeys,
  unobservedByChoice,
  unseenPublications,
} from '../../src/plan/policies.ts';
import { allTargets } from '../../src/plan/targets.ts';
import { fc } from '../support/fast-check.ts';
import { noPast } from '../support/saved-plans.ts';
import { desiredState, lastObservation, noGuards, recorded, recordedState, unknownAttemptOf, wanted } from '../support/states.ts';

const test = suite('policies');
const nothingKnown = { declared: new Map<never, never>(), otherGateways: [] };
const names = (count: number): string[] => Array.from({ length: count }, (_, index) => `a${String(index).padStart(3, '0')}`);

/** A file that takes `offline` of `all` APIs offline, all of them recorded online. */
function takingDown(offline: number, all: number, guards: Partial<DesiredState['guards']> = {}): [Plan, DesiredState, RecordedState] {
  const publications = names(all).map((api, index) => wanted(api, 'test', { state: index < offline ? 'offline' : 'online' }));
  const desired = desiredState(publications, { guards: { ...noGuards, ...guards } });
  const before = recordedState(names(all).map((api) => recorded(api, 'test')));
  return [diffStates(desired, before), desired, before];
}

const policiesFor = ([plan, desired, before]: ReturnType<typeof takingDown>): Plan =>
  applyPolicies(plan, { desired, recorded: before, previous: nothingKnown });

const heldRules = ({ changes }: Plan): (string | undefined)[] => changes.map(({ held }) => held?.rule);

test('a share allows at least one, so that it works for three publications as for three thousand', () => {
  const most = { count: 10, share: 0.2 };
  assert.equal(
    [0, 1, 3, 5, 9, 10, 49, 50, 3000].map((all) => allowedCount(most, all)),
    [1, 1, 1, 1, 1, 2, 9, 10, 10],
  );
  assert.is(allowedCount({ count: null, share: 0 }, 1000), 0);
  assert.is(allowedCount({ count: 0, share: null }, 1000), 0);
  assert.is(allowedCount({ count: null, share: null }, 1000), 1000);
});

test('if more may go offline than allowed at once, all of it is held', () => {
  const maxOffline = { count: 10, share: 0.2 };
  assert.equal(heldRules(policiesFor(takingDown(1, 3, { maxOffline }))), [undefined]);
  const held = policiesFor(takingDown(2, 3, { maxOffline }));
  assert.equal(heldRules(held), ['maxOffline', 'maxOffline']);
  assert.is(held.changes[0]?.held?.message, '2 of 3 would go offline at once, and guards.maxOffline allows 1');
  assert.equal(heldRules(policiesFor(takingDown(10, 3000, { maxOffline }))), Array(10).fill(undefined));
  assert.equal(heldRules(policiesFor(takingDown(11, 3000, { maxOffline }))), Array(11).fill('maxOffline'));
});

test('changes to online are not held by it', () => {
  const [, desired, before] = takingDown(3, 4, { maxOffline: { count: 0, share: null } });
  const more = desiredState([...desired.publications.values(), wanted('z', 'test')], { guards: desired.guards });
  const held = applyPolicies(diffStates(more, before), { desired: more, recorded: before, previous: nothingKnown });
  assert.equal(
    held.changes.filter(isActionable).map(({ api }) => api),
    ['z'],
  );
});

/** Every reason for which something that is or was online is published again, as the desired and the recorded publication. */
const republished = {
  revision: (api: string) => [wanted(api, 'test', { revision: 'r2' }), recorded(api, 'test', { revision: 'r1' })],
  edited: (api: string) => [wanted(api, 'test'), recorded(api, 'test', { publishedAtMs: 1, editedAtMs: 10_000 })],
  'drift to offline': (api: string) => [
    wanted(api, 'test', { driftPolicy: 'correct' }),
    recorded(api, 'test', { state: 'offline', versionId: null, drift: driftFrom('online') }),
  ],
  'drift to another version': (api: string) => [
    wanted(api, 'test', { driftPolicy: 'correct', version: 'v1' }),
    recorded(api, 'test', { versionId: 'v2', drift: driftFrom('online') }),
  ],
} as const satisfies Record<string, (api: string) => readonly [DesiredPublication, RecordedPublication]>;

function driftFrom(from: 'online' | 'offline'): RecordedPublication['drift'] {
  return { from, fromSinceMs: 1, detectedAtMs: 2, backoffUntilMs: null };
}

for (const [name, build] of Object.entries(republished)) {
  test(`if more is published again than guards.maxRepublish allows, all of it is held: ${name}`, () => {
    const planOf = (count: number, maxRepublish: Threshold): Plan => {
      const all = names(count).map((api) => build(api));
      const more = names(3).map((api) => [wanted(`new-${api}`, 'test'), recorded(`same-${api}`, 'test')] as const);
      const desired = desiredState(
        [...all, ...more].map(([one]) => one),
        { guards: { ...noGuards, maxRepublish }, republish: 'edited' },
      );
      const before = recordedState([...all, ...more].map(([, one]) => one));
      return applyPolicies(diffStates(desired, before), { desired, recorded: before, previous: nothingKnown });
    };
    const rulesOf = (plan: Plan): string[] => plan.changes.map(({ held, reason }) => `${reason} ${held?.rule ?? 'now'}`);
    const hundred = { count: 100, share: null };
    const reason = name.startsWith('drift') ? 'drift' : name;
    assert.equal(rulesOf(planOf(100, hundred)), [...Array(100).fill(`${reason} now`), ...Array(3).fill('new now')]);
    const held = planOf(101, hundred);
    assert.equal(rulesOf(held), [...Array(101).fill(`${reason} maxRepublish`), ...Array(3).fill('new now')]);
    assert.is(held.changes[0]?.held?.message, '101 of 104 would be published again at once, and guards.maxRepublish allows 100');
    assert.equal(rulesOf(planOf(6, { count: null, share: 0.5 })), [
      ...Array(6).fill(`${reason} maxRepublish`),
      ...Array(3).fill('new now'),
    ]);
    assert.equal(rulesOf(planOf(3, { count: null, share: 0.5 })), [...Array(3).fill(`${reason} now`), ...Array(3).fill('new now')]);
  });
}

test('what was offline, makes no new version or only resolves an unknown outcome is not published again', () => {
  const maxRepublish = { count: 0, share: null };
  const pairs = [
    [wanted('offline', 'test'), recorded('offline', 'test', { state: 'offline', versionId: null })],
    [wanted('pinned', 'test', { version: 'v1' }), recorded('pinned', 'test', { versionId: 'v2' })],
    [wanted('unknown', 'test', { revision: 'r2' }), recorded('unknown', 'test', { unknownAttempt: unknownAttemptOf() })],
    [wanted('down', 'test', { state: 'offline' }), recorded('down', 'test')],
  ] as const;
  const desired = desiredState(
    pairs.map(([one]) => one),
    { guards: { ...noGuards, maxRepublish } },
  );
  const before = recordedState(pairs.map(([, one]) => one));
  const plan = applyPolicies(diffStates(desired, before), { desired, recorded: before, previous: nothingKnown });
  assert.equal(
    plan.changes.map(({ api, held }) => [api, held?.rule]),
    [
      ['down', undefined],
      ['offline', undefined],
      ['pinned', undefined],
      ['unknown', undefined],
    ],
  );
});

test('an environment has a guard of its own, beside the one for all', () => {
  const publications = ['test', 'release'].flatMap((environment) => names(4).map((api) => wanted(api, environment, { state: 'offline' })));
  const desired = desiredState(publications);
  const release_ = desired.environments.get('env-release');
  const environments = new Map([
    ...desired.environments,
    [
      'env-release',
      { ...release_, name: 'release', id: 'env-release', isProtected: false, suspension: null, maxOffline: { count: 3, share: null } },
    ] as const,
  ]);
  const before = recordedState(publications.map(({ api, environment }) => recorded(api, environment)));
  const file = { ...desired, environments };
  const held = applyPolicies(diffStates(file, before), { desired: file, recorded: before, previous: nothingKnown });
  assert.equal([...new Set(held.changes.filter(({ held: why }) => why).map(({ environment }) => environment))], ['release']);
  assert.match(held.changes.find(({ held: why }) => why)?.held?.message ?? '', '4 of 4 would go offline in release at once');
});

test('a file from which more publications were removed than guards.maxRemoved allows is held as a whole', () => {
  const before = recordedState(names(10).map((api) => recorded(api, 'test')));
  const declared = new Map(names(10).map((api) => [wanted(api, 'test').key, '']));
  const fileWith = (count: number, ...more: readonly DesiredPublication[]): Plan => {
    const desired = desiredState([...names(count).map((api) => wanted(api, 'test')), ...more], {
      guards: { ...noGuards, maxRemoved: { count: null, share: 0.3 } },
      prune: true,
    });
    return applyPolicies(diffStates(desired, before, { wasDeclared: (key) => declared.has(key) }), {
      desired,
      recorded: before,
      previous: { declared, otherGateways: [] },
    });
  };
  assert.is(fileWith(7).fileHeld, null);
  const held = fileWith(6, wanted('new', 'test'));
  assert.is(held.fileHeld?.rule, 'maxRemoved');
  assert.match(
    held.fileHeld?.message ?? '',
    'the file no longer declares 4 of the 10 publications of the last one: a006 in test, a007 in test, a008 in test and 1 more',
  );
  assert.equal(heldRules(held), Array(5).fill('maxRemoved'));
});

test('a file that became empty is held, however few publications it had', () => {
  const before = recordedState([recorded('a', 'test')]);
  for (const prune of [false, true]) {
    const desired = desiredState([], { prune });
    const held = applyPolicies(diffStates(desired, before), {
      desired,
      recorded: before,
      previous: {
        declared: new Map([[wanted('a', 'test').key, '']]),
        otherGateways: [],
      },
    });
    assert.is(held.fileHeld?.rule, 'empty');
    assert.ok(approvalDigest(held));
    assert.ok(held.changes.every((change) => change.held));
  }
});

test('a publication that was never made is named as far as known', () => {
  const before = recordedState([recorded('orders', 'release')]);
  const desired = desiredState([]);
  const declared = new Map(['orders', 'carts'].map((api) => [wanted(api, 'test').key, '']));
  const { fileHeld } = applyPolicies(diffStates(desired, before), {
    desired,
    recorded: before,
    previous: { declared, otherGateways: [] },
  });
  assert.match(fileHeld?.message ?? '', 'the last one declared api-carts in test, orders in test');
});

test('a file that was always empty is fine', () => {
  const desired = desiredState([]);
  assert.is(applyPolicies(diffStates(desired, new Map()), { desired, recorded: new Map(), previous: nothingKnown }).fileHeld, null);
});

test('a file that no longer includes another and lost its publications is held; a publication moved to another file is not lost', () => {
  const all = names(10).map((api, index) => wanted(api, 'test', { sourceFile: index < 1 ? 'apis/shop.yaml' : '' }));
  const declared = new Map(all.map(({ key, sourceFile }) => [key, sourceFile]));
  const suspicion = (publications: readonly DesiredPublication[], ...homes: readonly string[]) => {
    const desired = { ...desiredState(publications), sourceFiles: new Set(['', ...homes]) };
    return applyPolicies(diffStates(desired, new Map()), {
      desired,
      recorded: new Map(),
      previous: { declared, otherGateways: [] },
    }).fileHeld;
  };
  const held = suspicion(all.slice(1));
  assert.equal([held?.rule, held?.affected.length], ['missingInclude', 1]);
  assert.match(held?.message ?? '', 'apis/shop.yaml is no longer included, which removes');
  assert.is(suspicion(all.slice(1), 'apis/shop.yaml'), null, 'its team removed it');
  assert.is(suspicion(all.map((one) => ({ ...one, sourceFile: '' }))), null, 'it was moved');
});

test('at first contact with a gateway that may not be observed the whole file is held; later only what is new', () => {
  const desired = desiredState([wanted('orders', 'test'), wanted('carts', 'test', { state: 'offline' })]);
  const unobserved = { reason: 'APIG.1005 No permissions', remedy: 'grant the permission' };
  const first = applyPolicies(diffStates(desired, new Map()), { desired, recorded: new Map(), previous: nothingKnown, unobserved });
  assert.equal([first.fileHeld?.rule, first.fileHeld?.affected], ['first-contact', ['api-carts env-test', 'api-orders env-test']]);
  assert.match(first.fileHeld?.message ?? '', 'it could not be observed: APIG.1005 No permissions');
  const down = desiredState([wanted('orders', 'test', { state: 'offline' })]);
  const unseen = applyPolicies(diffStates(down, new Map()), { desired: down, recorded: new Map(), previous: nothingKnown, unobserved });
  assert.is(unseen.fileHeld?.rule, 'first-contact', 'what is declared offline may be online');
  const before = recordedState([recorded('carts', 'test')]);
  const later = applyPolicies(diffStates(desired, before), { desired, recorded: before, previous: nothingKnown, unobserved });
  assert.is(later.fileHeld, null);
  assert.equal(
    later.changes.map(({ api, held }) => [api, held?.rule]),
    [
      ['carts', undefined],
      ['orders', 'unobserved'],
    ],
  );
  const observed = applyPolicies(diffStates(desired, new Map()), { desired, recorded: new Map(), previous: nothingKnown });
  assert.equal([observed.fileHeld, heldRules(observed)], [null, [undefined]]);
});

test('a file that a daemon follows is held if one key of its gateway has changed, until the move is approved or reverted', () => {
  const { gateway } = desiredState([]);
  const address = addressOf(gateway);
  const rule = (moved: GatewayMove | null) => gatewayHold(gateway, { moved, approvals: [] }, 0)?.rule;
  for (const key of ['endpoint', 'iamEndpoint', 'project', 'instance'] as const) {
    const from = { ...address, [key]: 'other' };
    assert.is(rule({ from, isApproved: false }), 'movedGateway', key);
    assert.is(rule({ from, isApproved: true }), undefined, key);
  }
  assert.is(rule({ from: address, isApproved: false }), undefined);
  assert.is(rule({ from: null, isApproved: false }), 'newGateway');
  assert.is(rule({ from: null, isApproved: true }), undefined);
  assert.is(rule(null), undefined);
});

test('the hold of a gateway leaves nothing to plan, and an approval of it is for its exact address', () => {
  const desired = desiredState([wanted('orders', 'test')]);
  const { gateway } = desired;
  const previous = { ...noPast, moved: { from: null, isApproved: false } };
  const planned = (over: Partial<PreviousState>, of = desired) =>
    computePlan({ desired: of, recorded: new Map(), previous: { ...previous, ...over }, targets: allTargets, nowMs: 5 });
  const held = planned({});
  assert.equal([held.fileHeld?.rule, held.changes], ['newGateway', []]);
  const approval = {
    ...{ id: 1, by: 'me', reason: 'x', digest: approvalDigest(held) ?? '', approvedAtMs: 1, expiresAtMs: 9 },
    ...{ scope: approvalScope(held), usedKeys: new Set<never>(), isFileHoldReleased: false },
  };
  assert.equal([planned({ approvals: [approval] }).fileHeld, planned({ approvals: [approval] }).changes.length], [null, 1]);
  assert.is(gatewayApproval(gateway, { ...previous, approvals: [approval] }, 5), approval);
  assert.is(planned({ approvals: [{ ...approval, expiresAtMs: 5 }] }).fileHeld?.rule, 'newGateway');
  const otherIam = { ...desired, gateway: { ...gateway, iamEndpoint: 'https://iam.other' } };
  assert.is(planned({ approvals: [approval] }, otherIam).fileHeld?.rule, 'newGateway');
});

test('a file whose APIs belong to another gateway is held', () => {
  const desired = desiredState([wanted('orders', 'test'), wanted('new', 'test')]);
  const gateway = { endpoint: 'https://other.example.com', project: 'p', instance: 'i' };
  const otherGateways = [{ gateway, apiIds: new Set(['api-orders', 'api-carts']) }];
  const held = applyPolicies(diffStates(desired, new Map()), {
    desired,
    recorded: new Map(),
    previous: { declared: new Map(), otherGateways },
  });
  assert.is(held.fileHeld?.rule, 'otherGateway');
  assert.match(held.fileHeld?.message ?? '', "1 of the file's 2 APIs belong to another gateway: https://other.example.com, instance i");
  const known = { declared: new Map([[wanted('orders', 'test').key, '']]), otherGateways };
  assert.is(applyPolicies(diffStates(desired, new Map()), { desired, recorded: new Map(), previous: known }).fileHeld, null);
});

test('swapped IDs are held, in both directions', () => {
  const before = recordedState([recorded('orders', 'test', { state: 'offline' }), recorded('carts', 'test')]);
  const orders = wanted('orders', 'test', { apiId: 'api-carts', key: wanted('carts', 'test').key, state: 'offline' });
  const carts = wanted('carts', 'test', { apiId: 'api-orders', key: wanted('orders', 'test').key });
  const desired = desiredState([orders, carts]);
  const held = applyPolicies(diffStates(desired, before), { desired, recorded: before, previous: nothingKnown });
  assert.equal(heldRules(held), ['swappedIds', 'swappedIds']);
  assert.match(held.changes[0]?.held?.message ?? '', 'api-orders was orders and is carts now, and orders is api-carts');
});

test('a new API under the name of a retired one is not a swap', () => {
  const before = recordedState([recorded('orders', 'test')]);
  const old = wanted('orders-v1', 'test', { apiId: 'api-orders', key: wanted('orders', 'test').key, state: 'offline' });
  const next = wanted('orders', 'test', { apiId: 'api-next', key: wanted('next', 'test').key });
  const desired = desiredState([old, next]);
  assert.equal(heldRules(applyPolicies(diffStates(desired, before), { desired, recorded: before, previous: nothingKnown })), [
    undefined,
    undefined,
  ]);
});

const maxOffline = { count: 0, share: null };

function approvalOf(held: Plan, over: Partial<Approval> = {}): Approval {
  const digest = approvalDigest(held) ?? '';
  return {
    id: 1,
    digest,
    by: 'ada',
    reason: 'CHG-7',
    approvedAtMs: 0,
    expiresAtMs: 100,
    scope: approvalScope(held),
    usedKeys: new Set(),
    isFileHoldReleased: false,
    ...over,
  };
}

test('an approval releases what it covers, and has the name of the person', () => {
  const held = policiesFor(takingDown(2, 4, { maxOffline }));
  const released = applyApprovals(held, [approvalOf(held)], 50);
  assert.ok(released.changes.every(isActionable));
  assert.equal(released.approval, { id: 1, by: 'ada', reason: 'CHG-7', expiresAtMs: 100 });
  assert.equal(released.changes[0]?.approval, released.approval);
  assert.is(approvalDigest(released), null);
  assert.is(planDigest(released), planDigest(held));
});

test('an expired approval releases nothing', () => {
  const held = policiesFor(takingDown(2, 4, { maxOffline }));
  assert.is(applyApprovals(held, [approvalOf(held)], 100), held);
});

test('an approval for less, for more or for something else releases nothing', () => {
  const of = (count: number): Plan => policiesFor(takingDown(count, 9, { maxOffline }));
  const held = of(3);
  for (const other of [of(2), of(4)]) assert.is(applyApprovals(held, [approvalOf(other)], 50), held);
  const [some] = held.changes;
  if (!some) throw new Error('nothing is held');
  const revised = { ...held, changes: [{ ...some, remark: 'another' }, ...held.changes.slice(1)] };
  assert.is(applyApprovals(revised, [approvalOf(held)], 50), revised);
});

test('an approval still releases the rest after some changes were made, and nothing twice', () => {
  const first = policiesFor(takingDown(2, 4, { maxOffline }));
  const [done, left] = first.changes;
  if (!done || !left) throw new Error('nothing is held');
  const used = approvalOf(first, { usedKeys: new Set([done.key]) });
  const rest = { ...first, changes: [left] };
  assert.ok(applyApprovals(rest, [used], 50).changes.every(isActionable));
  assert.is(applyApprovals(first, [used], 50), first);
  const empty = approvalOf(first, { usedKeys: new Set([done.key, left.key]) });
  assert.is(applyApprovals(rest, [empty], 50), rest);
});

test('after a held file was acted on, its approval covers what other guards hold of it, and no other loss', () => {
  const [made, desired, before] = takingDown(2, 4, { maxOffline, maxRemoved: { count: 0, share: null } });
  const declared = new Map([...desired.publications.keys(), wanted('lost', 'test').key].map((key) => [key, '']));
  const suspicious = applyPolicies(made, { desired, recorded: before, previous: { declared, otherGateways: [] } });
  const approval = approvalOf(suspicious);
  assert.is(applyApprovals(suspicious, [approval], 50).fileHeld, null);
  const spent = { ...approval, isFileHoldReleased: true };
  assert.is(applyApprovals(suspicious, [spent], 50), suspicious);
  const after = applyPolicies(made, {
    desired,
    recorded: before,
    previous: {
      declared: new Map([...desired.publications.keys()].map((key) => [key, ''])),
      otherGateways: [],
    },
  });
  assert.equal(heldRules(after), ['maxOffline', 'maxOffline']);
  assert.ok(applyApprovals(after, [spent], 50).changes.every(isActionable));
});

test('the digest of the held changes depends on the gateway and not on other changes', () => {
  const [made, desired, before] = takingDown(2, 4, { maxOffline });
  const held = applyPolicies(made, { desired, recorded: before, previous: nothingKnown });
  const more = { ...held, changes: [...held.changes, ...diffStates(desiredState([wanted('z', 'test')]), new Map()).changes] };
  assert.is(approvalDigest(more), approvalDigest(held));
  assert.is.not(approvalDigest({ ...held, gateway: { ...held.gateway, project: 'another' } }), approvalDigest(held));
  assert.is(approvalDigest(made), null);
});

test('guards never add, remove or alter a change, and what they allow is within their limit', () => {
  const share = fc.integer({ min: 0, max: 100 }).map((percent) => percent / 100);
  fc.assert(
    fc.property(fc.nat(40), fc.nat(40), fc.option(fc.nat(12)), fc.option(share), (offline, more, count, part) => {
      const [made, desired, before] = takingDown(offline, offline + more, { maxOffline: { count, share: part } });
      const held = applyPolicies(made, { desired, recorded: before, previous: nothingKnown });
      assert.equal(
        held.changes.map((change) => ({ ...change, held: null })),
        made.changes.map((change) => ({ ...change, held: null })),
      );
      const through = held.changes.filter(isActionable).length;
      assert.ok(through === 0 || through === offline);
      assert.ok(through <= allowedCount({ count, share: part }, offline + more));
    }),
  );
});

test('what is new is unseen if the last list showed it, is old, or was cut', () => {
  const desired = desiredState([wanted('orders', 'test'), wanted('users', 'test'), wanted('carts', 'test', { state: 'offline' })]);
  const before = recordedState([recorded('users', 'test')]);
  const orders = wanted('orders', 'test');
  const others = Array.from({ length: maxListedUnmanaged }, () => wanted('other', 'test'));
  for (const [age, unmanaged, unseen] of [
    ['fresh', [], []],
    ['fresh', [orders, wanted('users', 'test'), wanted('carts', 'test')], ['orders', 'carts']],
    ['fresh', others, ['orders']],
    ['stale', [], ['orders']],
    ['never', [], ['orders']],
  ] as const) {
    const found = unseenPublications({ desired, recorded: before, observation: lastObservation(3, { unmanaged }), age });
    assert.equal(
      found.map(({ api }) => api),
      unseen,
      age,
    );
  }
});

test('what first contact has not looked up is deferred until it is, or held where the file says that nobody looks', () => {
  const [orders, carts, users, gone] = [wanted('orders', 'test'), wanted('carts', 'test'), wanted('users', 'test'), wanted('gone', 'test')];
  const off = wanted('off', 'test', { state: 'offline' });
  const file = (refreshIntervalMs: number | null) => desiredState([orders, carts, users, gone, off], { refreshIntervalMs });
  const before = recordedState([recorded('users', 'test', { state: null, versionId: null, publishId: null })]);
  const observation = lastObservation(4, { lookedUp: new Set([orders.key]), missingApiIds: [gone.apiId] });
  const look = (refreshIntervalMs: number | null, unobserved: Unobserved | null = null) => {
    const desired = file(refreshIntervalMs);
    const input = { desired, recorded: before, observation };
    assert.equal([...unlookedKeys(input)], [carts.key]);
    assert.equal(
      unseenPublications({ ...input, age: 'fresh' }).map(({ api }) => api),
      ['carts'],
    );
    return awaitFirstLook(diffStates(desired, before, { missingApiIds: [gone.apiId] }), { ...input, unobserved }).changes.map(
      ({ api, held, deferred }) => [api, held?.rule ?? deferred?.rule ?? null],
    );
  };
  assert.equal(look(1000), [
    ['carts', 'first-contact'],
    ['orders', null],
    ['users', null],
  ]);
  assert.equal(look(null)[0], ['carts', 'unobserved']);
  assert.equal(look(1000, { reason: 'r', remedy: 'm' })[0], ['carts', null], 'applyPolicies holds it');
  assert.is(unlookedKeys({ desired: file(1000), recorded: before, observation: lastObservation(4) }).size, 0);
});

test('what may not be observed is held, unless the record is fresh', () => {
  const interval = desiredState([], { refreshIntervalMs: 1000 });
  const never = desiredState([], { refreshIntervalMs: null });
  const choice = { desired: interval, observedAtMs: 100, nowMs: 200, refresh: 'due', isEmulated: false, hasUnseen: false } as const;
  const isHeld = (over: Partial<Parameters<typeof unobservedByChoice>[0]>): boolean => unobservedByChoice({ ...choice, ...over }) !== null;
  assert.equal(
    [
      isHeld({ desired: never, observedAtMs: null }),
      isHeld({ desired: never }),
      isHeld({ desired: never, hasUnseen: true }),
      isHeld({ desired: never, nowMs: 300_100 }),
      isHeld({ observedAtMs: null, refresh: 'never' }),
      isHeld({ nowMs: 2000, refresh: 'never' }),
      isHeld({ refresh: 'never' }),
      isHeld({ refresh: 'never', hasUnseen: true }),
      isHeld({ refresh: 'due', hasUnseen: true }),
      isHeld({ observedAtMs: null, refresh: 'never', isEmulated: true }),
    ],
    [true, false, true, true, true, true, false, true, false, false],
  );
});

test.run();
