import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { nextRecord, type Outcome } from '../../src/core/outcome.ts';
import { type Change, plan } from '../../src/core/plan.ts';
import { desiredState, recorded, wanted } from '../support/states.ts';

const change = plan(desiredState([wanted('orders', 'test', { revision: 'r2' })]), new Map()).changes[0] as Change;
const attempt = { id: 9, marker: null, settledAtMs: 1000 };
const failure = { code: 'X', status: null, message: '', hint: null, requestId: null, pauseMs: null };

test('a success becomes the record, with its revision and version', () => {
  const next = nextRecord(
    change,
    { kind: 'succeeded', versionId: 'v2', publishId: 'p' },
    recorded('orders', 'test', { state: 'offline' }),
    attempt,
  );
  assert.equal(next, recorded('orders', 'test', { state: 'online', revision: 'r2', versionId: 'v2', publishId: 'p', recordedAtMs: 1000 }));
});

test('an unknown outcome leaves what was recorded and marks it unresolved', () => {
  const before = recorded('orders', 'test', { state: 'offline', revision: 'r1', recordedAtMs: 5 });
  const next = nextRecord(change, { kind: 'unknown', failure }, before, attempt);
  assert.equal(next, {
    ...before,
    unresolved: { attemptId: 9, action: 'online', revision: 'r2', version: null, marker: null, overAtMs: 1000 },
  });
});

test('a switch to a version leaves the recorded revision as it is', () => {
  const before = recorded('orders', 'test', { revision: 'r9', versionId: 'v9' });
  const done: Outcome = { kind: 'succeeded', versionId: 'v1', publishId: null };
  const next = nextRecord({ ...change, reason: 'version', version: 'v1' }, done, before, attempt);
  assert.equal([next?.revision, next?.versionId], ['r9', 'v1']);
});

test('an unknown outcome of a first attempt is recorded without a state', () => {
  const next = nextRecord(change, { kind: 'unknown', failure }, undefined, attempt);
  assert.is(next?.state, null);
  assert.is(next?.unresolved?.attemptId, 9);
});

const harmless: readonly Outcome[] = [
  { kind: 'dropped' },
  { kind: 'retry', failure },
  { kind: 'stalled', failure },
  { kind: 'wait', failure },
  { kind: 'refused', failure },
  { kind: 'absent' },
];
for (const outcome of harmless) {
  test(`what was recorded stays as it was after: ${outcome.kind}`, () => {
    const before = recorded('orders', 'test', {
      unresolved: { attemptId: 3, action: 'online', revision: null, marker: null, version: null, overAtMs: null },
    });
    assert.is(nextRecord(change, outcome, before, attempt), before);
    assert.is(nextRecord(change, outcome, undefined, attempt), undefined);
  });
}

const drift = { from: 'online', fromSinceMs: null, seenAtMs: 5, truceUntilMs: null } as const;

for (const [reason, before, corrections] of [
  ['drift', { drift, corrections: 2 }, 3],
  ['unresolved', { drift, corrections: 2 }, 3],
  ['unresolved', { corrections: 2 }, 2],
  ['state', { drift, corrections: 2 }, 2],
  ['revision', { drift, corrections: 0 }, 0],
] as const) {
  test(`a success for ${reason} ${'drift' in before ? 'over' : 'without'} a drift has corrected it ${corrections} times`, () => {
    const was = recorded('orders', 'test', { state: 'offline', correctedAtMs: 7, ...before });
    const next = nextRecord({ ...change, reason }, { kind: 'succeeded', versionId: null, publishId: null }, was, attempt);
    const correctedAtMs = corrections > before.corrections ? 1000 : 7;
    assert.equal([next?.drift, next?.corrections, next?.correctedAtMs], [null, corrections, correctedAtMs]);
  });
}

test('what the gateway said of the publication before does not hold for the new one', () => {
  const was = recorded('orders', 'test', { publishId: 'p1', publishedAtMs: 5, editedAtMs: 9 });
  const next = nextRecord(change, { kind: 'succeeded', versionId: 'v2', publishId: null }, was, attempt);
  assert.equal([next?.publishId, next?.publishedAtMs, next?.editedAtMs], [null, null, null]);
});

test.run();
