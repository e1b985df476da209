import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { diffStates } from '../../src/plan/diff.ts';
import { summarizePlan } from '../../src/plan/summary.ts';
import { change, desiredState, recorded, recordedState, unknownAttemptOf, wanted } from '../support/states.ts';

const nothing = diffStates(desiredState([]), new Map());
const none = {
  ...{ online: 0, offline: 0, held: 0, deferred: 0, unknown: 0, failed: 0 },
  ...{ drifted: 0, settling: 0, unchanged: 0, unmanaged: 0, excluded: 0 },
};

test('each change is in one state: a held one is held, even if it is also deferred', () => {
  const held = { rule: 'protected', message: '', hint: '' } as const;
  const deferred = { rule: 'freeze', message: '', untilMs: null } as const;
  const failing = change('failing', 'test');
  const changes = [
    change('orders', 'test'),
    change('orders', 'release', { action: 'offline' }),
    change('carts', 'test', { held }),
    change('carts', 'release', { held, deferred }),
    change('users', 'test', { deferred }),
    change('lost', 'test', { reason: 'unknown' }),
    failing,
  ];
  const failed = { id: 1, action: 'online', revision: null, outcome: 'rejected', code: 'X', message: '', startedAtMs: 1 } as const;
  assert.equal(summarizePlan({ ...nothing, changes }, { lastAttempts: new Map([[failing.key, failed]]) }), {
    ...none,
    ...{ online: 1, offline: 1, held: 2, deferred: 1, unknown: 1, failed: 1 },
  });
  assert.equal(summarizePlan(nothing), none);
});

const drift = { from: 'online', fromSinceMs: 1, detectedAtMs: 2, backoffUntilMs: null } as const;
const anyRecorded = (api: string) =>
  fc.constantFrom(
    null,
    recorded(api, 'test'),
    recorded(api, 'test', { recordedAtMs: 100 }),
    recorded(api, 'test', { state: 'offline', versionId: null }),
    recorded(api, 'test', { state: 'offline', versionId: null, drift }),
    recorded(api, 'test', { unknownAttempt: unknownAttemptOf() }),
  );

test('the states add up to the declared publications and the removed ones', () => {
  const apis = ['a', 'b', 'c', 'd', 'e'];
  const states = fc.tuple(
    ...apis.map((api) => fc.record({ isDeclared: fc.boolean(), state: fc.constantFrom('online', 'offline'), was: anyRecorded(api) })),
  );
  fc.assert(
    fc.property(states, fc.boolean(), (all, prune) => {
      const publications = all.flatMap(({ isDeclared, state }, index) =>
        isDeclared ? [wanted(apis[index] ?? '', 'test', { state })] : [],
      );
      const plan = diffStates(desiredState(publications, { prune }), recordedState(all.flatMap(({ was }) => was ?? [])), {
        isSettling: ({ recordedAtMs }) => recordedAtMs > 50,
        missingApiIds: ['api-b'],
      });
      const { unmanaged, excluded, ...counted } = summarizePlan(plan);
      const removed = plan.changes.filter(({ source }) => source === null).length;
      assert.is(
        Object.values(counted).reduce((sum, count) => sum + count, 0),
        publications.length + removed,
      );
      assert.equal([unmanaged, excluded], [plan.unmanaged.length, 0]);
    }),
  );
});

test.run();
