import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { applyAttemptJson, applySummaryJson, blockedChangeJson } from '../../../src/cli/output/apply-result.ts';
import type { Outcome } from '../../../src/model/outcome.ts';
import { diffStates } from '../../../src/plan/diff.ts';
import { assertConforms } from '../../support/json-schemas.ts';
import { change, desiredState, reconcileSummary } from '../../support/states.ts';

const failure = { code: 'TIMEOUT', status: null, message: 'no answer', hint: null, requestId: null, retryAfterMs: null };
const outcomes: readonly Outcome[] = [
  { kind: 'succeeded', versionId: 'v1', publishId: 'p1' },
  { kind: 'superseded' },
  { kind: 'notApplied' },
  ...(['throttled', 'retryable', 'rejected', 'unauthorized', 'unknown'] as const).map((kind) => ({ kind, failure })),
];
const attemptFinished = (outcome: Outcome) =>
  applyAttemptJson({
    type: 'attempt:finished',
    reconcileId: 'reconcile-1',
    attemptId: 7,
    change: change('orders', 'test'),
    outcome,
    isRecorded: true,
    durationMs: 1.5,
  });

for (const outcome of outcomes) {
  test(`an attempt with the outcome ${outcome.kind} is a line of the schema`, () => {
    const line = attemptFinished(outcome);
    assertConforms('apply', line);
    assert.equal([line.attempt, line.outcome, line.durationMs], [7, outcome.kind, 1.5]);
  });
}

test('a line has the failure, or only the version of a success', () => {
  const { retryAfterMs, ...response } = failure;
  const line = attemptFinished({ kind: 'rejected', failure: { ...failure, code: 'APIG.1' } });
  assert.equal({ ...response, retryAfterMs, ...line }, line);
  assert.not.ok('publishId' in attemptFinished(outcomes[0] as Outcome));
});

test('a held or deferred change has its reason and end', () => {
  const held = { rule: 'protected', message: 'no', hint: 'ask' } as const;
  const deferred = { rule: 'freeze', message: 'frozen', untilMs: 0 } as const;
  const lines = [change('a', 'test', { held, deferred }), change('b', 'test', { deferred })].map(blockedChangeJson);
  for (const line of lines) assertConforms('apply', line);
  assert.equal(
    lines.map(({ type, rule, until }) => [type, rule, until]),
    [
      ['held', 'protected', null],
      ['deferred', 'freeze', '1970-01-01T00:00:00Z'],
    ],
  );
  assert.throws(() => blockedChangeJson(change('c', 'test')), /neither held nor deferred/);
});

test('the last line has the totals, and only properties of the schema', () => {
  const summary = reconcileSummary({ online: 1, unchanged: 2, drifted: 1, settling: 5, unknown: 6, unmanaged: 2, durationMs: 3 });
  const plan = diffStates(desiredState([]), new Map());
  const line = applySummaryJson({ plan, summary, unsent: 0, superseded: [] }, { adoptedCount: 4, approveCommand: null });
  assertConforms('apply', line);
  assert.equal([line.online, line.unchanged, line.savedPlan, line.approveCommand], [1, 2, null, null]);
  assert.equal([line.adopted, line.drifted, line.unmanaged, line.settling, line.unknown], [4, 1, 2, 5, 6]);
});

test.run();
