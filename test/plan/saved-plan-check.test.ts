import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Attempt } from '../../src/model/attempt.ts';
import type { DesiredPublication } from '../../src/model/desired-state.ts';
import type { RecordedPublication } from '../../src/model/recorded-state.ts';
import { diffStates } from '../../src/plan/diff.ts';
import { approvalDigest, approvalScope, changeFingerprint } from '../../src/plan/policies.ts';
import type { SavedPlan } from '../../src/plan/saved-plan.ts';
import { excludeOwnChanges, isStillValid } from '../../src/plan/saved-plan-check.ts';
import { fc, runs } from '../support/fast-check.ts';
import { attemptAt, keptTo, lastAttempts, noPast, plannedAtMs, savedFrom } from '../support/saved-plans.ts';
import { desiredState, published, recordedState, unknownAttemptOf, wanted } from '../support/states.ts';

type Wanted = Partial<DesiredPublication> | null;
type Recorded = Partial<RecordedPublication> | null;

const file = (orders: Wanted) => desiredState(orders ? [wanted('orders', 'test', orders)] : []);
const record = (orders: Recorded) => recordedState(orders ? [published('orders', 'test', orders)] : []);
const unknownAttempt = unknownAttemptOf({ attemptId: 42 });
const online = { state: 'online' } as const;
const offline = { state: 'offline', versionId: null } as const;

interface Case {
  readonly name: string;
  /** The file and the record when the plan was saved. */
  readonly planned: readonly [Wanted, Recorded];
  readonly now: readonly [Wanted, Recorded];
  readonly lastAttempt?: Partial<Attempt>;
  /** The stale changes; `open`: none is stale, and it is still to be made. */
  readonly expected: string;
}

const cases: readonly Case[] = [
  { name: 'nothing has changed', planned: [online, offline], now: [online, offline], expected: 'open' },
  { name: 'it was put online meanwhile', planned: [online, offline], now: [online, online], expected: 'recordedState' },
  { name: 'a daemon made the same change', planned: [online, offline], now: [online, online], lastAttempt: {}, expected: 'done' },
  {
    name: 'an attempt before the plan made the same change',
    planned: [online, offline],
    now: [online, online],
    lastAttempt: { startedAtMs: plannedAtMs - 1 },
    expected: 'recordedState',
  },
  {
    name: 'the attempt after the plan made another change',
    planned: [online, offline],
    now: [online, online],
    lastAttempt: { remark: 'by hand' },
    expected: 'recordedState',
  },
  {
    name: 'it is recorded as done, and the attempt failed',
    planned: [online, offline],
    now: [online, online],
    lastAttempt: { outcome: 'rejected' },
    expected: 'recordedState',
  },
  {
    name: 'it was made and undone',
    planned: [online, offline],
    now: [online, offline],
    lastAttempt: { action: 'offline' },
    expected: 'reverted',
  },
  {
    name: 'an earlier attempt had no effect',
    planned: [online, offline],
    now: [online, offline],
    lastAttempt: { outcome: 'retryable' },
    expected: 'open',
  },
  {
    name: 'an attempt of this change is in flight',
    planned: [online, offline],
    now: [online, { ...offline, unknownAttempt }],
    lastAttempt: { outcome: null, finishedAtMs: null },
    expected: 'open',
  },
  {
    name: 'an attempt of another change is in flight',
    planned: [online, offline],
    now: [online, { ...offline, unknownAttempt: { ...unknownAttempt, action: 'offline' } }],
    lastAttempt: { outcome: null, action: 'offline' },
    expected: 'unknownOutcome',
  },
  {
    name: 'the file asks for another revision',
    planned: [{ revision: '2' }, online],
    now: [{ revision: '3' }, online],
    expected: 'desiredRevision',
  },
  { name: 'the file has another remark', planned: [{ remark: 'a' }, offline], now: [{ remark: 'b' }, offline], expected: 'desiredRemark' },
  {
    name: 'the file pins another version',
    planned: [{ version: 'v1' }, online],
    now: [{ version: 'v2' }, online],
    expected: 'desiredVersion',
  },
  { name: 'the file wants the opposite', planned: [online, offline], now: [offline, offline], expected: 'desiredState' },
  { name: 'it left the file', planned: [online, offline], now: [null, offline], expected: 'notNeeded' },
  {
    name: 'another version is effective',
    planned: [{ revision: '2' }, { versionId: 'v1' }],
    now: [{ revision: '2' }, { versionId: 'v2' }],
    expected: 'effectiveVersion',
  },
  {
    name: 'an unknown version became known',
    planned: [{ revision: '2' }, { versionId: null }],
    now: [{ revision: '2' }, { versionId: 'v2' }],
    expected: 'open',
  },
  {
    name: 'another revision was published',
    planned: [{ revision: '3' }, { revision: '1' }],
    now: [{ revision: '3' }, { revision: '2', versionId: 'v2' }],
    expected: 'recordedRevision',
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
    name: 'the unknown attempt had not taken effect',
    planned: [online, { ...offline, unknownAttempt }],
    now: [online, offline],
    lastAttempt: { outcome: 'notApplied', startedAtMs: plannedAtMs - 1 },
    expected: 'open',
  },
  {
    name: 'the unknown attempt had taken effect',
    planned: [online, { ...offline, unknownAttempt }],
    now: [online, online],
    lastAttempt: { startedAtMs: plannedAtMs - 1 },
    expected: 'done',
  },
  {
    name: 'the unknown attempt had taken effect, and more is wanted',
    planned: [{ revision: '2' }, { ...offline, unknownAttempt: { ...unknownAttempt, revision: '1' } }],
    now: [{ revision: '2' }, { revision: '1', versionId: 'new' }],
    lastAttempt: { startedAtMs: plannedAtMs - 1, revision: '1' },
    expected: 'open',
  },
  { name: 'it disappeared from the gateway', planned: [offline, online], now: [offline, offline], expected: 'recordedState' },
];

for (const { name, planned, now, lastAttempt, expected } of cases) {
  test(`${name}: ${expected}`, () => {
    const before = planned[1]?.unknownAttempt ? lastAttempts(attemptAt('orders', 'test', { outcome: null })) : new Map();
    const saved = savedFrom(file(planned[0]), record(planned[1]), before);
    assert.is(saved.changes.size, 1);
    const { changes, savedPlanDiff } = keptTo(
      saved,
      file(now[0]),
      record(now[1]),
      lastAttempt && lastAttempts(attemptAt('orders', 'test', lastAttempt)),
    );
    const moves = savedPlanDiff?.staleChanges.flatMap((moved) => moved.divergences.map(({ kind }) => kind)) ?? [];
    const found = changes.length > 0 ? ['open'] : savedPlanDiff?.appliedCount ? ['done'] : moves;
    assert.equal(found, [expected]);
    assert.is(savedPlanDiff?.notInPlan, 0);
  });
}

test('a stale change names the attempt made since, if there was one', () => {
  const saved = savedFrom(file(online), record(offline));
  const { savedPlanDiff } = keptTo(saved, file(online), record(online), lastAttempts(attemptAt('orders', 'test', { remark: 'x' })));
  assert.equal(savedPlanDiff?.staleChanges[0]?.attempt, { id: 42, atMs: plannedAtMs + 1000 });
  assert.is(keptTo(saved, file(online), record(online)).savedPlanDiff?.staleChanges[0]?.attempt, null);
});

test('new changes are counted and not made, and changes elsewhere do not matter', () => {
  const saved = savedFrom(file(online), record(offline));
  const more = desiredState([wanted('orders', 'test'), wanted('carts', 'test'), wanted('users', 'test', { revision: '9' })]);
  const { changes, savedPlanDiff } = keptTo(saved, more, recordedState([published('orders', 'test', offline), published('users', 'test')]));
  assert.equal(
    changes.map(({ api }) => api),
    ['orders'],
  );
  assert.equal(savedPlanDiff, { staleChanges: [], appliedCount: 0, notInPlan: 2 });
});

const guarded = (isProtected: boolean) =>
  desiredState([wanted('orders', 'release', { state: 'offline' })], { protectedNames: isProtected ? ['release'] : [] });
const live = recordedState([published('orders', 'release')]);

test('a held change stays held, even if the file no longer holds it', () => {
  const saved = savedFrom(guarded(true), live);
  for (const now of [guarded(true), guarded(false)]) {
    const { changes, savedPlanDiff } = keptTo(saved, now, live);
    assert.is(changes[0]?.held?.rule, 'protected');
    assert.equal(savedPlanDiff?.staleChanges, []);
  }
});

test('an approval of the held changes of the plan releases them, and nothing else that is held by now', () => {
  const saved = savedFrom(guarded(true), live);
  const held = keptTo(saved, guarded(true), live);
  const approval = {
    ...{ id: 1, digest: approvalDigest(held) ?? '', by: 'ada', reason: 'agreed', approvedAtMs: 1, expiresAtMs: plannedAtMs * 2 },
    ...{ scope: approvalScope(held), usedKeys: new Set<never>(), isFileHoldReleased: false },
  };
  const both = desiredState(
    ['carts', 'orders'].map((api) => wanted(api, 'release', { state: 'offline' })),
    { protectedNames: ['release'] },
  );
  const bothLive = recordedState([published('orders', 'release'), published('carts', 'release')]);
  const { changes, savedPlanDiff } = keptTo(saved, both, bothLive, new Map(), { ...noPast, approvals: [approval] });
  assert.equal(
    changes.map(({ api, held, approval }) => [api, held, approval?.by]),
    [['orders', null, 'ada']],
  );
  assert.is(savedPlanDiff?.notInPlan, 1);
});

test('a change that is held only now is stale', () => {
  const saved = savedFrom(guarded(false), live);
  const { changes, savedPlanDiff } = keptTo(saved, guarded(true), live);
  assert.equal(changes, []);
  assert.equal(
    savedPlanDiff?.staleChanges.map(({ api, divergences }) => [api, divergences[0]?.kind]),
    [['orders', 'held']],
  );
});

test('policies check the whole plan, not the rest of it', () => {
  const down = (...apis: readonly string[]) =>
    desiredState(
      apis.map((api) => wanted(api, 'test', { state: 'offline' })),
      {
        guards: {
          maxOffline: { count: 1, share: null },
          maxRemoved: { count: null, share: null },
          maxRepublish: { count: null, share: null },
        },
      },
    );
  const three = recordedState(['a', 'b', 'c'].map((api) => published(api, 'test')));
  const saved = savedFrom(down('a'), three);
  assert.is(keptTo(saved, down('a'), three).changes.length, 1);
  assert.equal(
    keptTo(saved, down('a', 'b'), three).savedPlanDiff?.staleChanges.map(({ divergences }) => divergences[0]?.kind),
    ['held'],
  );
});

test('when a change is made the recorded state must be as planned, or be from a try of this change', () => {
  const [planned] = savedFrom(file(online), record(offline)).changes.values();
  assert.ok(planned);
  for (const [now, expected] of [
    [offline, true],
    [{ ...offline, unknownAttempt }, true],
    [{ ...offline, unknownAttempt: { ...unknownAttempt, action: 'offline' } }, false],
    [{ ...offline, unknownAttempt: { ...unknownAttempt, revision: '1' } }, false],
    [online, false],
    [null, false],
  ] as const) {
    assert.is(isStillValid(planned, now ? published('orders', 'test', now) : undefined), expected, JSON.stringify(now));
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
          driftPolicy: fc.constant<'correct'>('correct'),
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
          unknownAttempt: fc.constantFrom(null, null, null, unknownAttempt),
        }),
      ),
    ]),
  ),
);
const stateOf = (written: Readonly<Record<string, Wanted>>, prune: boolean) =>
  desiredState(
    Object.entries(written).flatMap(([api, over]) => (over ? [wanted(api, 'test', over)] : [])),
    { prune },
  );
const recordOf = (written: Readonly<Record<string, Recorded>>) =>
  recordedState(Object.entries(written).flatMap(([api, over]) => (over ? [published(api, 'test', over)] : [])));

test('each change of the plan is made as planned or is stale, nothing is added, and every valid one is made', () => {
  fc.assert(
    fc.property(
      someFile,
      someRecord,
      someFile,
      someRecord,
      fc.subarray([...apis]),
      fc.boolean(),
      (file, record, laterFile, laterRecord, moving, prune) => {
        const after = <T>(now: Readonly<Record<string, T>>, later: Readonly<Record<string, T>>) =>
          Object.fromEntries(apis.map((api) => [api, (moving.includes(api) ? later[api] : now[api]) as T]));
        const saved: SavedPlan = savedFrom(stateOf(file, prune), recordOf(record));
        const { changes, savedPlanDiff } = keptTo(saved, stateOf(after(file, laterFile), prune), recordOf(after(record, laterRecord)));
        assert.ok(savedPlanDiff);
        assert.is(changes.length + savedPlanDiff.staleChanges.length + savedPlanDiff.appliedCount, saved.changes.size);
        for (const change of changes) {
          const planned = saved.changes.get(change.key);
          assert.ok(planned);
          assert.is(changeFingerprint(change), changeFingerprint(planned));
          if (!planned.precondition.unknownAttempt) assert.is(change.from, planned.from);
        }
        const still = [...saved.changes.values()].filter(({ api }) => !(moving as readonly string[]).includes(api));
        for (const { key } of still) assert.ok(changes.some((change) => change.key === key));
      },
    ),
    { numRuns: runs(2000) },
  );
});

test('the changes of the run itself do not count as applied before it', () => {
  const [first, later] = [1, 3].map((appliedCount) => ({
    ...diffStates(desiredState([]), new Map()),
    savedPlanDiff: { staleChanges: [], appliedCount, notInPlan: 2 },
  }));
  assert.ok(first && later);
  assert.equal(excludeOwnChanges(later, first).savedPlanDiff, { staleChanges: [], appliedCount: 1, notInPlan: 2 });
  assert.is(excludeOwnChanges({ ...later, savedPlanDiff: null }, first).savedPlanDiff, null);
});

test.run();
