import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { planDigest } from '../../src/core/digest.ts';
import { type Approval, heldDigest, heldWork, holdBack, mostOf, release } from '../../src/core/guards.ts';
import { isMade, type Plan, plan } from '../../src/core/plan.ts';
import type { DesiredPublication, DesiredState, RecordedState } from '../../src/core/publication.ts';
import { fc } from '../support/fast-check.ts';
import { desiredState, noGuards, recorded, recordedState, wanted } from '../support/states.ts';

const test = suite('guards');
const nothingKnown = { declared: new Map<never, never>(), elsewhere: [] };
const names = (count: number): string[] => Array.from({ length: count }, (_, index) => `a${String(index).padStart(3, '0')}`);

/** A file that takes `offline` of `all` APIs down, all of them recorded online. */
function takingDown(offline: number, all: number, guards: Partial<DesiredState['guards']> = {}): [Plan, DesiredState, RecordedState] {
  const publications = names(all).map((api, index) => wanted(api, 'test', { state: index < offline ? 'offline' : 'online' }));
  const desired = desiredState(publications, { guards: { ...noGuards, ...guards } });
  const before = recordedState(names(all).map((api) => recorded(api, 'test')));
  return [plan(desired, before), desired, before];
}

const heldRules = ({ changes }: Plan): (string | undefined)[] => changes.map(({ held }) => held?.rule);

test('a share allows one at least, so that it means something for three as for three thousand', () => {
  const most = { count: 10, share: 0.2 };
  assert.equal(
    [0, 1, 3, 5, 9, 10, 49, 50, 3000].map((all) => mostOf(most, all)),
    [1, 1, 1, 1, 1, 2, 9, 10, 10],
  );
  assert.is(mostOf({ count: null, share: 0 }, 1000), 0);
  assert.is(mostOf({ count: 0, share: null }, 1000), 0);
  assert.is(mostOf({ count: null, share: null }, 1000), 1000);
});

test('more than may go offline at once is held, all of it', () => {
  const maxOffline = { count: 10, share: 0.2 };
  assert.equal(heldRules(holdBack(...takingDown(1, 3, { maxOffline }), nothingKnown)), [undefined]);
  const held = holdBack(...takingDown(2, 3, { maxOffline }), nothingKnown);
  assert.equal(heldRules(held), ['maxOffline', 'maxOffline']);
  assert.is(held.changes[0]?.held?.message, '2 of 3 would go offline at once, and guards.maxOffline allows 1');
  assert.equal(heldRules(holdBack(...takingDown(10, 3000, { maxOffline }), nothingKnown)), Array(10).fill(undefined));
  assert.equal(heldRules(holdBack(...takingDown(11, 3000, { maxOffline }), nothingKnown)), Array(11).fill('maxOffline'));
});

test('what goes online is not held by it', () => {
  const [, desired, before] = takingDown(3, 4, { maxOffline: { count: 0, share: null } });
  const more = desiredState([...desired.publications.values(), wanted('z', 'test')], { guards: desired.guards });
  const held = holdBack(plan(more, before), more, before, nothingKnown);
  assert.equal(
    held.changes.filter(isMade).map(({ api }) => api),
    ['z'],
  );
});

test('an environment has a guard of its own, beside that of all', () => {
  const publications = ['test', 'release'].flatMap((environment) => names(4).map((api) => wanted(api, environment, { state: 'offline' })));
  const desired = desiredState(publications);
  const release_ = desired.environments.get('env-release');
  const environments = new Map([
    ...desired.environments,
    [
      'env-release',
      { ...release_, name: 'release', id: 'env-release', protected: false, suspension: null, maxOffline: { count: 3, share: null } },
    ] as const,
  ]);
  const before = recordedState(publications.map(({ api, environment }) => recorded(api, environment)));
  const file = { ...desired, environments };
  const held = holdBack(plan(file, before), file, before, nothingKnown);
  assert.equal([...new Set(held.changes.filter(({ held: why }) => why).map(({ environment }) => environment))], ['release']);
  assert.match(held.changes.find(({ held: why }) => why)?.held?.message ?? '', '4 of 4 would go offline in release at once');
});

test('a file that lost more than a share of its publications is held as a whole', () => {
  const before = recordedState(names(10).map((api) => recorded(api, 'test')));
  const declared = new Map(names(10).map((api) => [wanted(api, 'test').key, '']));
  const fileWith = (count: number, ...more: readonly DesiredPublication[]): Plan => {
    const desired = desiredState([...names(count).map((api) => wanted(api, 'test')), ...more], {
      guards: { ...noGuards, maxLost: { count: null, share: 0.3 } },
      removed: 'offline',
    });
    return holdBack(plan(desired, before), desired, before, { declared, elsewhere: [] });
  };
  assert.is(fileWith(7).suspicion, null);
  const held = fileWith(6, wanted('new', 'test'));
  assert.is(held.suspicion?.rule, 'lost');
  assert.match(
    held.suspicion?.message ?? '',
    'the file has lost 4 of the 10 publications that the last one had: a006 in test, a007 in test, a008 in test and 1 more',
  );
  assert.equal(heldRules(held), Array(5).fill('lost'));
});

test('a file that became empty is held, however few it had', () => {
  const before = recordedState([recorded('a', 'test')]);
  for (const removed of ['keep', 'offline'] as const) {
    const desired = desiredState([], { removed });
    const held = holdBack(plan(desired, before), desired, before, { declared: new Map([[wanted('a', 'test').key, '']]), elsewhere: [] });
    assert.is(held.suspicion?.rule, 'empty');
    assert.ok(heldDigest(held));
    assert.ok(held.changes.every((change) => change.held));
  }
});

test('what was never published is named as far as anybody knows', () => {
  const before = recordedState([recorded('orders', 'release')]);
  const desired = desiredState([]);
  const declared = new Map(['orders', 'carts'].map((api) => [wanted(api, 'test').key, '']));
  const { suspicion } = holdBack(plan(desired, before), desired, before, { declared, elsewhere: [] });
  assert.match(suspicion?.message ?? '', 'the last one had api-carts in test, orders in test');
});

test('a file that was always empty is no matter', () => {
  const desired = desiredState([]);
  assert.is(holdBack(plan(desired, new Map()), desired, new Map(), nothingKnown).suspicion, null);
});

test('a file that includes a file no more, and lost what stood in it, is held; what was moved to another file is not lost', () => {
  const all = names(10).map((api, index) => wanted(api, 'test', { home: index < 1 ? 'apis/shop.yaml' : '' }));
  const declared = new Map(all.map(({ key, home }) => [key, home]));
  const suspicion = (publications: readonly DesiredPublication[], ...homes: readonly string[]) => {
    const desired = { ...desiredState(publications), homes: new Set(['', ...homes]) };
    return holdBack(plan(desired, new Map()), desired, new Map(), { declared, elsewhere: [] }).suspicion;
  };
  const held = suspicion(all.slice(1));
  assert.equal([held?.rule, held?.lost.length], ['vanished', 1]);
  assert.match(held?.message ?? '', 'apis/shop.yaml is included no more, and with it went');
  assert.is(suspicion(all.slice(1), 'apis/shop.yaml'), null, 'its team has taken it out');
  assert.is(suspicion(all.map((one) => ({ ...one, home: '' }))), null, 'it was moved');
});

test('a file whose APIs belong to another gateway is held', () => {
  const desired = desiredState([wanted('orders', 'test'), wanted('new', 'test')]);
  const gateway = { endpoint: 'https://other.example.com', project: 'p', instance: 'i' };
  const elsewhere = [{ gateway, apiIds: new Set(['api-orders', 'api-carts']) }];
  const held = holdBack(plan(desired, new Map()), desired, new Map(), { declared: new Map(), elsewhere });
  assert.is(held.suspicion?.rule, 'moved');
  assert.match(held.suspicion?.message ?? '', "1 of the file's 2 APIs belong to another gateway: https://other.example.com, instance i");
  const known = { declared: new Map([[wanted('orders', 'test').key, '']]), elsewhere };
  assert.is(holdBack(plan(desired, new Map()), desired, new Map(), known).suspicion, null);
});

test('IDs that were exchanged are held, both ways', () => {
  const before = recordedState([recorded('orders', 'test', { state: 'offline' }), recorded('carts', 'test')]);
  const orders = wanted('orders', 'test', { apiId: 'api-carts', key: wanted('carts', 'test').key, state: 'offline' });
  const carts = wanted('carts', 'test', { apiId: 'api-orders', key: wanted('orders', 'test').key });
  const desired = desiredState([orders, carts]);
  const held = holdBack(plan(desired, before), desired, before, nothingKnown);
  assert.equal(heldRules(held), ['swapped', 'swapped']);
  assert.match(held.changes[0]?.held?.message ?? '', 'api-orders was orders and is carts now, and orders is api-carts');
});

test('a new API under the name of one that is retired is no exchange', () => {
  const before = recordedState([recorded('orders', 'test')]);
  const old = wanted('orders-v1', 'test', { apiId: 'api-orders', key: wanted('orders', 'test').key, state: 'offline' });
  const next = wanted('orders', 'test', { apiId: 'api-next', key: wanted('next', 'test').key });
  const desired = desiredState([old, next]);
  assert.equal(heldRules(holdBack(plan(desired, before), desired, before, nothingKnown)), [undefined, undefined]);
});

const maxOffline = { count: 0, share: null };

function approvalOf(held: Plan, over: Partial<Approval> = {}): Approval {
  const digest = heldDigest(held) ?? '';
  return {
    id: 1,
    digest,
    by: 'ada',
    why: 'CHG-7',
    atMs: 0,
    expiresAtMs: 100,
    work: heldWork(held),
    done: new Set(),
    isSpent: false,
    ...over,
  };
}

test('an approval releases what it is for, and says whose it is', () => {
  const held = holdBack(...takingDown(2, 4, { maxOffline }), nothingKnown);
  const released = release(held, [approvalOf(held)], 50);
  assert.ok(released.changes.every(isMade));
  assert.equal(released.approval, { id: 1, by: 'ada', why: 'CHG-7', expiresAtMs: 100 });
  assert.equal(released.changes[0]?.approval, released.approval);
  assert.is(heldDigest(released), null);
  assert.is(planDigest(released), planDigest(held));
});

test('an approval that has expired releases nothing', () => {
  const held = holdBack(...takingDown(2, 4, { maxOffline }), nothingKnown);
  assert.is(release(held, [approvalOf(held)], 100), held);
});

test('an approval for less, for more or for something else releases nothing', () => {
  const of = (count: number): Plan => holdBack(...takingDown(count, 9, { maxOffline }), nothingKnown);
  const held = of(3);
  for (const other of [of(2), of(4)]) assert.is(release(held, [approvalOf(other)], 50), held);
  const [some] = held.changes;
  if (!some) throw new Error('nothing is held');
  const revised = { ...held, changes: [{ ...some, remark: 'another' }, ...held.changes.slice(1)] };
  assert.is(release(revised, [approvalOf(held)], 50), revised);
});

test('an approval releases the rest after some was made, and nothing twice', () => {
  const first = holdBack(...takingDown(2, 4, { maxOffline }), nothingKnown);
  const [done, left] = first.changes;
  if (!done || !left) throw new Error('nothing is held');
  const used = approvalOf(first, { done: new Set([done.key]) });
  const rest = { ...first, changes: [left] };
  assert.ok(release(rest, [used], 50).changes.every(isMade));
  assert.is(release(first, [used], 50), first);
  const empty = approvalOf(first, { done: new Set([done.key, left.key]) });
  assert.is(release(rest, [empty], 50), rest);
});

test('after a suspicious file was acted on, its approval holds for what other guards hold of it, and for no other loss', () => {
  const [made, desired, before] = takingDown(2, 4, { maxOffline, maxLost: { count: 0, share: null } });
  const declared = new Map([...desired.publications.keys(), wanted('lost', 'test').key].map((key) => [key, '']));
  const suspicious = holdBack(made, desired, before, { declared, elsewhere: [] });
  const approval = approvalOf(suspicious);
  assert.is(release(suspicious, [approval], 50).suspicion, null);
  const spent = { ...approval, isSpent: true };
  assert.is(release(suspicious, [spent], 50), suspicious);
  const after = holdBack(made, desired, before, {
    declared: new Map([...desired.publications.keys()].map((key) => [key, ''])),
    elsewhere: [],
  });
  assert.equal(heldRules(after), ['maxOffline', 'maxOffline']);
  assert.ok(release(after, [spent], 50).changes.every(isMade));
});

test('the digest of what is held does not change with what is not held, and does with the gateway', () => {
  const [made, desired, before] = takingDown(2, 4, { maxOffline });
  const held = holdBack(made, desired, before, nothingKnown);
  const more = { ...held, changes: [...held.changes, ...plan(desiredState([wanted('z', 'test')]), new Map()).changes] };
  assert.is(heldDigest(more), heldDigest(held));
  assert.is.not(heldDigest({ ...held, gateway: { ...held.gateway, project: 'another' } }), heldDigest(held));
  assert.is(heldDigest(made), null);
});

test('guards never add, drop or alter a change, and what they let through keeps their limit', () => {
  const share = fc.integer({ min: 0, max: 100 }).map((percent) => percent / 100);
  fc.assert(
    fc.property(fc.nat(40), fc.nat(40), fc.option(fc.nat(12)), fc.option(share), (offline, more, count, part) => {
      const [made, desired, before] = takingDown(offline, offline + more, { maxOffline: { count, share: part } });
      const held = holdBack(made, desired, before, nothingKnown);
      assert.equal(
        held.changes.map((change) => ({ ...change, held: null })),
        made.changes.map((change) => ({ ...change, held: null })),
      );
      const through = held.changes.filter(isMade).length;
      assert.ok(through === 0 || through === offline);
      assert.ok(through <= mostOf({ count, share: part }, offline + more));
    }),
  );
});

test.run();
