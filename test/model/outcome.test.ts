import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Change } from '../../src/model/change.ts';
import { applyOutcome, type Outcome } from '../../src/model/outcome.ts';
import { diffStates } from '../../src/plan/diff.ts';
import { desiredState, recorded, unknownAttemptOf, wanted } from '../support/states.ts';

const change = diffStates(desiredState([wanted('orders', 'test', { revision: 'r2' })]), new Map()).changes[0] as Change;
const attempt = { id: 9, marker: null, startedAtMs: 900, finishedAtMs: 1000 };
const failure = { code: 'X', status: null, message: '', hint: null, requestId: null, retryAfterMs: null };

test('a success becomes the recorded state, with its revision and version', () => {
  const next = applyOutcome(recorded('orders', 'test', { state: 'offline' }), {
    change,
    outcome: { kind: 'succeeded', versionId: 'v2', publishId: 'p' },
    ...attempt,
  });
  assert.equal(
    next,
    recorded('orders', 'test', { state: 'online', revision: 'r2', versionId: 'v2', publishId: 'p', recordedAtMs: 1000, changedAtMs: 1000 }),
  );
});

test('an unknown outcome keeps the recorded state and marks it as unknown', () => {
  const before = recorded('orders', 'test', { state: 'offline', revision: 'r1', recordedAtMs: 5 });
  const next = applyOutcome(before, { change, outcome: { kind: 'unknown', failure }, ...attempt });
  assert.equal(next, {
    ...before,
    unknownAttempt: unknownAttemptOf({ attemptId: 9, revision: 'r2', startedAtMs: 900, sendByMs: 1000, endedAtMs: 1000 }),
  });
});

test('a switch to a version keeps the recorded revision', () => {
  const before = recorded('orders', 'test', { revision: 'r9', versionId: 'v9' });
  const done: Outcome = { kind: 'succeeded', versionId: 'v1', publishId: null };
  const next = applyOutcome(before, { change: { ...change, reason: 'version', version: 'v1' }, outcome: done, ...attempt });
  assert.equal([next?.revision, next?.versionId], ['r9', 'v1']);
});

test('an unknown outcome of a first attempt is recorded without a state', () => {
  const next = applyOutcome(undefined, { change, outcome: { kind: 'unknown', failure }, ...attempt });
  assert.is(next?.state, null);
  assert.is(next?.unknownAttempt?.attemptId, 9);
});

const harmless: readonly Outcome[] = [
  { kind: 'superseded' },
  { kind: 'retryable', failure },
  { kind: 'rejected', failure },
  { kind: 'throttled', failure },
  { kind: 'unauthorized', failure },
  { kind: 'notApplied' },
];
for (const outcome of harmless) {
  test(`the recorded state stays as it was after: ${outcome.kind}`, () => {
    const before = recorded('orders', 'test', {
      unknownAttempt: unknownAttemptOf({ attemptId: 3 }),
    });
    assert.is(applyOutcome(before, { change, outcome, ...attempt }), before);
    assert.is(applyOutcome(undefined, { change, outcome, ...attempt }), undefined);
  });
}

const drift = { from: 'online', fromSinceMs: null, detectedAtMs: 5, backoffUntilMs: null } as const;

for (const [reason, before, corrections] of [
  ['drift', { drift, correctionCount: 2 }, 3],
  ['unknown', { drift, correctionCount: 2 }, 3],
  ['unknown', { correctionCount: 2 }, 2],
  ['state', { drift, correctionCount: 2 }, 2],
  ['revision', { drift, correctionCount: 0 }, 0],
] as const) {
  test(`a success for ${reason} ${'drift' in before ? 'over' : 'without'} a drift has ${corrections} corrections`, () => {
    const was = recorded('orders', 'test', { state: 'offline', lastCorrectedAtMs: 7, ...before });
    const next = applyOutcome(was, {
      change: { ...change, reason },
      outcome: { kind: 'succeeded', versionId: null, publishId: null },
      ...attempt,
    });
    const correctedAtMs = corrections > before.correctionCount ? 1000 : 7;
    assert.equal([next?.drift, next?.correctionCount, next?.lastCorrectedAtMs], [null, corrections, correctedAtMs]);
  });
}

test('the observation of the previous publication does not apply to the new one', () => {
  const was = recorded('orders', 'test', { publishId: 'p1', publishedAtMs: 5, editedAtMs: 9 });
  const next = applyOutcome(was, { change, outcome: { kind: 'succeeded', versionId: 'v2', publishId: null }, ...attempt });
  assert.equal([next?.publishId, next?.publishedAtMs, next?.editedAtMs], [null, null, null]);
});

test.run();
