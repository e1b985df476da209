import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { heldDigest, heldWork, workOf } from '../../src/core/guards.ts';
import { restsOn, sinceFirst } from '../../src/core/keep-to.ts';
import { plan } from '../../src/core/plan.ts';
import type { Attempt } from '../../src/core/ports.ts';
import type { DesiredPublication, RecordedPublication } from '../../src/core/publication.ts';
import type { SavedPlan } from '../../src/core/saved-plan.ts';
import { fc, runs } from '../support/fast-check.ts';
import { attemptAt, keptTo, lastAttempts, noPast, plannedAtMs, savedFrom } from '../support/saved-plans.ts';
import { desiredState, recorded, recordedState, wanted } from '../support/states.ts';

type Wanted = Partial<DesiredPublication> | null;
type Recorded = Partial<RecordedPublication> | null;

const file = (orders: Wanted) => desiredState(orders ? [wanted('orders', 'test', orders)] : []);
const record = (orders: Recorded) => recordedState(orders ? [recorded('orders', 'test', orders)] : []);
const unresolved = { attemptId: 42, action: 'online', revision: null, version: null, marker: null, overAtMs: null } as const;
const online = { state: 'online' } as const;
const offline = { state: 'offline', versionId: null } as const;

interface Case {
  readonly name: string;
  /** What the file asked for, and the record said, when the plan was saved. */
  readonly planned: readonly [Wanted, Recorded];
  readonly now: readonly [Wanted, Recorded];
  readonly last?: Partial<Attempt>;
  /** What has moved; `open`: nothing, and it is still to be done. */
  readonly expected: string;
}

const cases: readonly Case[] = [
  { name: 'nothing has moved', planned: [online, offline], now: [online, offline], expected: 'open' },
  { name: 'it was put online meanwhile', planned: [online, offline], now: [online, online], expected: 'recorded state' },
  { name: 'a daemon has done the same', planned: [online, offline], now: [online, online], last: {}, expected: 'done' },
  {
    name: 'an attempt before the plan did the same',
    planned: [online, offline],
    now: [online, online],
    last: { beganAtMs: plannedAtMs - 1 },
    expected: 'recorded state',
  },
  {
    name: 'the attempt after the plan did something else',
    planned: [online, offline],
    now: [online, online],
    last: { remark: 'by hand' },
    expected: 'recorded state',
  },
  {
    name: 'the record says it is done, and the attempt failed',
    planned: [online, offline],
    now: [online, online],
    last: { outcome: 'stalled' },
    expected: 'recorded state',
  },
  {
    name: 'it was done and undone',
    planned: [online, offline],
    now: [online, offline],
    last: { action: 'offline' },
    expected: 'done and undone',
  },
  {
    name: 'an earlier try came to nothing',
    planned: [online, offline],
    now: [online, offline],
    last: { outcome: 'retry' },
    expected: 'open',
  },
  {
    name: 'a try of this work is under way',
    planned: [online, offline],
    now: [online, { ...offline, unresolved }],
    last: { outcome: null, settledAtMs: null },
    expected: 'open',
  },
  {
    name: 'a try of other work is under way',
    planned: [online, offline],
    now: [online, { ...offline, unresolved: { ...unresolved, action: 'offline' } }],
    last: { outcome: null, action: 'offline' },
    expected: 'unresolved',
  },
  {
    name: 'the file asks for another revision',
    planned: [{ revision: '2' }, online],
    now: [{ revision: '3' }, online],
    expected: 'wanted revision',
  },
  { name: 'the file has another remark', planned: [{ remark: 'a' }, offline], now: [{ remark: 'b' }, offline], expected: 'wanted remark' },
  {
    name: 'the file pins another version',
    planned: [{ version: 'v1' }, online],
    now: [{ version: 'v2' }, online],
    expected: 'wanted version',
  },
  { name: 'the file wants the opposite', planned: [online, offline], now: [offline, offline], expected: 'wanted state' },
  { name: 'the file forgets it', planned: [online, offline], now: [null, offline], expected: 'not needed' },
  {
    name: 'another version is effective',
    planned: [{ revision: '2' }, { versionId: 'v1' }],
    now: [{ revision: '2' }, { versionId: 'v2' }],
    expected: 'effective version',
  },
  {
    name: 'a version was not known and is now',
    planned: [{ revision: '2' }, { versionId: null }],
    now: [{ revision: '2' }, { versionId: 'v2' }],
    expected: 'open',
  },
  {
    name: 'another revision was published',
    planned: [{ revision: '3' }, { revision: '1' }],
    now: [{ revision: '3' }, { revision: '2', versionId: 'v2' }],
    expected: 'recorded revision',
  },
  {
    name: 'the draft was edited again',
    planned: [{ revision: '2' }, { editedAtMs: 1 }],
    now: [{ revision: '2' }, { editedAtMs: 2 }],
    expected: 'edited',
  },
  {
    name: 'the draft was edited again, and no draft is published',
    planned: [{ version: 'v1' }, { editedAtMs: 1 }],
    now: [{ version: 'v1' }, { editedAtMs: 2 }],
    expected: 'open',
  },
  {
    name: 'the attempt that the plan doubted had not happened',
    planned: [online, { ...offline, unresolved }],
    now: [online, offline],
    last: { outcome: 'absent', beganAtMs: plannedAtMs - 1 },
    expected: 'open',
  },
  {
    name: 'the attempt that the plan doubted had happened',
    planned: [online, { ...offline, unresolved }],
    now: [online, online],
    last: { beganAtMs: plannedAtMs - 1 },
    expected: 'done',
  },
  {
    name: 'the attempt that the plan doubted had happened, and more is wanted',
    planned: [{ revision: '2' }, { ...offline, unresolved: { ...unresolved, revision: '1' } }],
    now: [{ revision: '2' }, { revision: '1', versionId: 'new' }],
    last: { beganAtMs: plannedAtMs - 1, revision: '1' },
    expected: 'open',
  },
  { name: 'the gateway lost it', planned: [offline, online], now: [offline, offline], expected: 'recorded state' },
];

for (const { name, planned, now, last, expected } of cases) {
  test(`${name}: ${expected}`, () => {
    const before = planned[1]?.unresolved ? lastAttempts(attemptAt('orders', 'test', { outcome: null })) : new Map();
    const saved = savedFrom(file(planned[0]), record(planned[1]), before);
    assert.is(saved.changes.size, 1);
    const { changes, kept } = keptTo(saved, file(now[0]), record(now[1]), last && lastAttempts(attemptAt('orders', 'test', last)));
    const moves = kept?.moved.flatMap((moved) => moved.moves.map(({ what }) => what)) ?? [];
    const found = changes.length > 0 ? ['open'] : kept?.done ? ['done'] : moves;
    assert.equal(found, [expected]);
    assert.is(kept?.newer, 0);
  });
}

test('a change that moved names the attempt since, if there was one', () => {
  const saved = savedFrom(file(online), record(offline));
  const { kept } = keptTo(saved, file(online), record(online), lastAttempts(attemptAt('orders', 'test', { remark: 'x' })));
  assert.equal(kept?.moved[0]?.attempt, { id: 42, atMs: plannedAtMs + 1000 });
  assert.is(keptTo(saved, file(online), record(online)).kept?.moved[0]?.attempt, null);
});

test('what came newly is counted and not made, and what moved elsewhere does not matter', () => {
  const saved = savedFrom(file(online), record(offline));
  const more = desiredState([wanted('orders', 'test'), wanted('carts', 'test'), wanted('users', 'test', { revision: '9' })]);
  const { changes, kept } = keptTo(saved, more, recordedState([recorded('orders', 'test', offline), recorded('users', 'test')]));
  assert.equal(
    changes.map(({ api }) => api),
    ['orders'],
  );
  assert.equal(kept, { moved: [], done: 0, newer: 2 });
});

const guarded = (isProtected: boolean) =>
  desiredState([wanted('orders', 'release', { state: 'offline' })], { protectedNames: isProtected ? ['release'] : [] });
const live = recordedState([recorded('orders', 'release')]);

test('what was held stays held, also where the file does not hold it any more', () => {
  const saved = savedFrom(guarded(true), live);
  for (const now of [guarded(true), guarded(false)]) {
    const { changes, kept } = keptTo(saved, now, live);
    assert.is(changes[0]?.held?.rule, 'protected');
    assert.equal(kept?.moved, []);
  }
});

test('an approval of what the plan held releases it, and so nothing else that is held by now', () => {
  const saved = savedFrom(guarded(true), live);
  const held = keptTo(saved, guarded(true), live);
  const approval = {
    ...{ id: 1, digest: heldDigest(held) ?? '', by: 'ada', why: 'agreed', atMs: 1, expiresAtMs: plannedAtMs * 2 },
    ...{ work: heldWork(held), done: new Set<never>(), isSpent: false },
  };
  const both = desiredState(
    ['carts', 'orders'].map((api) => wanted(api, 'release', { state: 'offline' })),
    { protectedNames: ['release'] },
  );
  const bothLive = recordedState([recorded('orders', 'release'), recorded('carts', 'release')]);
  const { changes, kept } = keptTo(saved, both, bothLive, new Map(), { ...noPast, approvals: [approval] });
  assert.equal(
    changes.map(({ api, held, approval }) => [api, held, approval?.by]),
    [['orders', null, 'ada']],
  );
  assert.is(kept?.newer, 1);
});

test('what was not held and is now has moved', () => {
  const saved = savedFrom(guarded(false), live);
  const { changes, kept } = keptTo(saved, guarded(true), live);
  assert.equal(changes, []);
  assert.equal(
    kept?.moved.map(({ api, moves }) => [api, moves[0]?.what]),
    [['orders', 'held']],
  );
});

test('guards look at the whole plan, not at what is left of it', () => {
  const down = (...apis: readonly string[]) =>
    desiredState(
      apis.map((api) => wanted(api, 'test', { state: 'offline' })),
      { guards: { maxOffline: { count: 1, share: null }, maxLost: { count: null, share: null } } },
    );
  const three = recordedState(['a', 'b', 'c'].map((api) => recorded(api, 'test')));
  const saved = savedFrom(down('a'), three);
  assert.is(keptTo(saved, down('a'), three).changes.length, 1);
  assert.equal(
    keptTo(saved, down('a', 'b'), three).kept?.moved.map(({ moves }) => moves[0]?.what),
    ['held'],
  );
});

test('at the moment of acting the record must be what the plan rests on, or a try of just this', () => {
  const [planned] = savedFrom(file(online), record(offline)).changes.values();
  assert.ok(planned);
  for (const [now, expected] of [
    [offline, true],
    [{ ...offline, unresolved }, true],
    [{ ...offline, unresolved: { ...unresolved, action: 'offline' } }, false],
    [{ ...offline, unresolved: { ...unresolved, revision: '1' } }, false],
    [online, false],
    [null, false],
  ] as const) {
    assert.is(restsOn(planned, now ? recorded('orders', 'test', now) : undefined), expected, JSON.stringify(now));
  }
});

const apis = ['a', 'b', 'c', 'd'] as const;
const someFile = fc.record(
  Object.fromEntries(
    apis.map((api) => [
      api,
      fc.option(
        fc.record({
          state: fc.constantFrom<'online' | 'offline'>('online', 'online', 'offline'),
          revision: fc.constantFrom(null, '1', '2'),
          version: fc.constantFrom(null, null, 'v1'),
          drift: fc.constant<'correct'>('correct'),
        }),
      ),
    ]),
  ),
);
const someRecord = fc.record(
  Object.fromEntries(
    apis.map((api) => [
      api,
      fc.option(
        fc.record({
          state: fc.constantFrom<'online' | 'offline'>('online', 'offline'),
          revision: fc.constantFrom(null, '1', '2'),
          versionId: fc.constantFrom('v1', 'v2'),
          unresolved: fc.constantFrom(null, null, null, unresolved),
        }),
      ),
    ]),
  ),
);
const stateOf = (written: Readonly<Record<string, Wanted>>, removed: 'keep' | 'offline') =>
  desiredState(
    Object.entries(written).flatMap(([api, over]) => (over ? [wanted(api, 'test', over)] : [])),
    { removed },
  );
const recordOf = (written: Readonly<Record<string, Recorded>>) =>
  recordedState(Object.entries(written).flatMap(([api, over]) => (over ? [recorded(api, 'test', over)] : [])));

test('whatever moves, each change of the plan is done as it was or has moved, nothing is added, and what stood still is done', () => {
  fc.assert(
    fc.property(
      someFile,
      someRecord,
      someFile,
      someRecord,
      fc.subarray([...apis]),
      fc.constantFrom<'keep' | 'offline'>('keep', 'offline'),
      (file, record, laterFile, laterRecord, moving, removed) => {
        const after = <T>(now: Readonly<Record<string, T>>, later: Readonly<Record<string, T>>) =>
          Object.fromEntries(apis.map((api) => [api, (moving.includes(api) ? later[api] : now[api]) as T]));
        const saved: SavedPlan = savedFrom(stateOf(file, removed), recordOf(record));
        const { changes, kept } = keptTo(saved, stateOf(after(file, laterFile), removed), recordOf(after(record, laterRecord)));
        assert.ok(kept);
        assert.is(changes.length + kept.moved.length + kept.done, saved.changes.size);
        for (const change of changes) {
          const planned = saved.changes.get(change.key);
          assert.ok(planned);
          assert.is(workOf(change), workOf(planned));
          if (!planned.basis.unresolved) assert.is(change.from, planned.from);
        }
        const still = [...saved.changes.values()].filter(({ api }) => !(moving as readonly string[]).includes(api));
        for (const { key } of still) assert.ok(changes.some((change) => change.key === key));
      },
    ),
    { numRuns: runs(2000) },
  );
});

test('what a run has made itself was not made before it', () => {
  const [first, later] = [1, 3].map((done) => ({ ...plan(desiredState([]), new Map()), kept: { moved: [], done, newer: 2 } }));
  assert.ok(first && later);
  assert.equal(sinceFirst(later, first).kept, { moved: [], done: 1, newer: 2 });
  assert.is(sinceFirst({ ...later, kept: null }, first).kept, null);
});

test.run();
