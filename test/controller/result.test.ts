import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Reconciled } from '../../src/controller/reconciler.ts';
import { authFailure, requeueWithBackoff, resultOf } from '../../src/controller/result.ts';
import type { FailureKind } from '../../src/model/outcome.ts';
import { change } from '../support/states.ts';

const patience = { maxTries: 3, random: () => 0 };
const failure = { code: 'X', status: null, message: '', hint: null, requestId: null, retryAfterMs: null };
const orders = change('orders', 'test');
const attempted = (kind: FailureKind | 'unknown', isRecorded = true): Reconciled => ({
  kind: 'attempted',
  change: orders,
  outcome: { kind, failure },
  isRecorded,
});
const made: Reconciled = {
  kind: 'attempted',
  change: orders,
  outcome: { kind: 'succeeded', versionId: null, publishId: null },
  isRecorded: true,
};

const verdicts: readonly [string, Reconciled, ReturnType<typeof resultOf>][] = [
  ['nothing to do', { kind: 'in sync' }, { kind: 'done' }],
  ['what has not its turn', { kind: 'waits' }, { kind: 'done' }],
  ['what a person must look at', { kind: 'held', change: orders }, { kind: 'stalled' }],
  ['what is too early to tell', { kind: 'early', change: orders, afterMs: 7 }, { kind: 'again', afterMs: 7, failures: 1 }],
  ['a success', made, { kind: 'done' }],
  ['a success that cannot be recorded', { ...made, isRecorded: false }, { kind: 'stalled' }],
  ['what may go well later', attempted('retry'), { kind: 'again', afterMs: 1000, failures: 2 }],
  ['an unknown outcome', attempted('unknown'), { kind: 'again', afterMs: 1000, failures: 2 }],
  ['what will not go well', attempted('stalled'), { kind: 'stalled' }],
  ['refused credentials, which are no failure of the change', attempted('refused'), { kind: 'again', afterMs: 0, failures: 1 }],
  ['a read that failed', { kind: 'unread', change: orders, failing: 'wait', failure }, { kind: 'again', afterMs: 1000, failures: 2 }],
];
for (const [name, reconciled, verdict] of verdicts) {
  test(`${name}: ${verdict.kind}`, () => assert.equal(resultOf(reconciled, 2, patience), verdict));
}

test('after so many tries in a row a change waits for a person or a new file', () => {
  assert.is(requeueWithBackoff(2, patience).kind, 'again');
  assert.equal(requeueWithBackoff(3, patience), { kind: 'stalled' });
});

test('refused credentials are seen in an answer and in a read, and nowhere else', () => {
  assert.is(authFailure(attempted('refused')), failure);
  assert.is(authFailure({ kind: 'unread', change: orders, failing: 'refused', failure }), failure);
  for (const other of [made, attempted('stalled'), { kind: 'in sync' } as const]) assert.is(authFailure(other), null);
});

test.run();
