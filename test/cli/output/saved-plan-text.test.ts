import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { formatScope, formatStaleChange, staleChangeJson } from '../../../src/cli/output/saved-plan-text.ts';
import type { Divergence, StaleChange } from '../../../src/model/saved-plan-diff.ts';
import { diffStates } from '../../../src/plan/diff.ts';
import { change, desiredState } from '../../support/states.ts';

function moved(divergences: readonly Divergence[], attempt: StaleChange['attempt'] = null): StaleChange {
  const { api, apiId, environment, environmentId, action } = change('orders', 'release');
  return { api, apiId, environment, environmentId, action, divergences, attempt };
}

const attempt = { id: 42, atMs: Date.UTC(2026, 10, 23, 12) };

const cases: readonly (readonly [Divergence, string])[] = [
  [
    { kind: 'recordedState', was: 'offline', now: 'online' },
    'recorded offline when planned, online now (attempt 42 at 2026-11-23T12:00:00Z)',
  ],
  [{ kind: 'recordedState', was: null, now: 'online' }, 'not recorded when planned, online now (attempt 42 at 2026-11-23T12:00:00Z)'],
  [
    { kind: 'recordedState', was: 'online', now: null },
    'recorded online when planned, not recorded now (attempt 42 at 2026-11-23T12:00:00Z)',
  ],
  [
    { kind: 'recordedRevision', was: '1', now: null },
    'recorded with revision 1 when planned, with no revision now (attempt 42 at 2026-11-23T12:00:00Z)',
  ],
  [
    { kind: 'effectiveVersion', was: 'v1', now: 'v2' },
    'version v1 was effective when planned, v2 is now (attempt 42 at 2026-11-23T12:00:00Z)',
  ],
  [{ kind: 'reverted' }, 'changed and changed back since it was planned (attempt 42 at 2026-11-23T12:00:00Z)'],
  [
    { kind: 'edited', was: 0, now: 1000 },
    'edited at the gateway at 1970-01-01T00:00:01Z, after the edit of 1970-01-01T00:00:00Z that was planned with',
  ],
  [{ kind: 'unknownOutcome', was: null, now: 7 }, 'the outcome of attempt 7 is unknown'],
  [{ kind: 'desiredState', was: 'online', now: 'offline' }, 'the file says offline now, and said online when planned'],
  [{ kind: 'desiredRevision', was: null, now: '3' }, 'the file has revision 3 now, and had no revision when planned'],
  [{ kind: 'desiredRemark', was: 'a', now: 'b' }, 'the file has another remark now'],
  [{ kind: 'desiredVersion', was: null, now: 'v1' }, 'the file pins version v1 now, and pinned none when planned'],
  [{ kind: 'desiredVersion', was: 'v1', now: null }, 'the file pins no version now, and pinned v1 when planned'],
  [{ kind: 'notNeeded' }, 'no longer needed'],
  [{ kind: 'held', message: 'release is protected' }, 'held now: release is protected'],
  [{ kind: 'deferred', message: 'release is frozen' }, 'deferred now: release is frozen'],
];
for (const [move, expected] of cases) {
  test(`${move.kind}: ${expected}`, () => {
    assert.is(formatStaleChange(moved([move], attempt)), `orders in release: ${expected}`);
  });
}

test('several divergences are one line without control characters', () => {
  const line = formatStaleChange(moved([{ kind: 'desiredRevision', was: '1', now: '\u001b[2J3\n' }, { kind: 'notNeeded' }]));
  assert.is(line, 'orders in release: the file has revision \\u{1b}[2J3\\n now, and had revision 1 when planned; no longer needed');
});

test('the JSON has the kind of each divergence', () => {
  assert.equal(staleChangeJson(moved([{ kind: 'notNeeded' }], attempt)), {
    ...{ api: 'orders', apiId: 'api-orders', environment: 'release', environmentId: 'env-release', action: 'online' },
    ...{ divergences: ['notNeeded'], attempt: 42, message: 'orders in release: no longer needed' },
  });
});

test('changes made already and newer changes are counted, and nothing is shown without any', () => {
  const made = diffStates(desiredState([]), new Map());
  const said = (appliedCount: number, notInPlan: number): string | null =>
    formatScope({ ...made, savedPlanDiff: { staleChanges: [], appliedCount, notInPlan } });
  assert.is(formatScope(made), null);
  assert.is(said(0, 0), null);
  assert.is(said(1, 0), '1 change of the saved plan was made already.');
  assert.is(said(2, 1), '2 changes of the saved plan were made already. 1 newer change is not in the saved plan.');
  const narrowed = {
    ...made,
    targets: { apis: ['a'], environments: [] },
    savedPlanDiff: { staleChanges: [], appliedCount: 0, notInPlan: 2 },
  };
  assert.is(formatScope(narrowed), 'Only --api a: no change left out. 2 newer changes are not in the saved plan.');
});

test.run();
