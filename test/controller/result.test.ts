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

const cases: readonly [string, Reconciled, ReturnType<typeof resultOf>][] = [
  ['nothing to do', { kind: 'inSync' }, { kind: 'done' }],
  ['a change that the newest plan does not allow', { kind: 'notAllowed' }, { kind: 'dropped' }],
  ['a change whose rollout step has not started', { kind: 'deferred' }, { kind: 'dropped' }],
  ['an unknown outcome that needs a person', { kind: 'held', change: orders }, { kind: 'blocked' }],
  [
    'an unknown outcome that cannot be confirmed yet',
    { kind: 'tooEarly', change: orders, afterMs: 7 },
    { kind: 'again', afterMs: 7, failures: 1 },
  ],
  ['a success', made, { kind: 'done' }],
  ['a success that cannot be recorded', { ...made, isRecorded: false }, { kind: 'blocked' }],
  ['a retryable failure', attempted('retryable'), { kind: 'again', afterMs: 1000, failures: 2 }],
  ['an unknown outcome', attempted('unknown'), { kind: 'again', afterMs: 1000, failures: 2 }],
  ['a rejected change', attempted('rejected'), { kind: 'blocked' }],
  ['rejected credentials, which are no failure of the change', attempted('unauthorized'), { kind: 'again', afterMs: 0, failures: 1 }],
  [
    'a request that was not sent in time, which is no failure of the change',
    {
      kind: 'attempted',
      change: orders,
      outcome: { kind: 'retryable', failure: { ...failure, code: 'REQUEST_NOT_SENT' } },
      isRecorded: true,
    },
    { kind: 'again', afterMs: 0, failures: 1 },
  ],
  [
    'a read that failed',
    { kind: 'unreadable', change: orders, failing: 'throttled', failure },
    { kind: 'again', afterMs: 1000, failures: 2 },
  ],
];
for (const [name, reconciled, expected] of cases) {
  test(`${name}: ${expected.kind}`, () => assert.equal(resultOf(reconciled, 2, patience), expected));
}

test('after maxTries failures in a row a change is blocked until a person or a new file acts', () => {
  assert.is(requeueWithBackoff(2, patience).kind, 'again');
  assert.equal(requeueWithBackoff(3, patience), { kind: 'blocked' });
});

test('only an attempt or a read with rejected credentials is an authentication failure', () => {
  assert.is(authFailure(attempted('unauthorized')), failure);
  assert.is(authFailure({ kind: 'unreadable', change: orders, failing: 'unauthorized', failure }), failure);
  for (const other of [made, attempted('rejected'), { kind: 'inSync' } as const]) assert.is(authFailure(other), null);
});

test.run();
