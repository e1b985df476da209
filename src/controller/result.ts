import { assertNever } from '../model/errors.ts';
import type { Failure, FailureKind } from '../model/outcome.ts';
import type { Result } from './queue/workqueue.ts';
import type { Reconciled } from './reconciler.ts';
import { backoffMs } from './retry.ts';

export interface RetryPolicy {
  /** Consecutive tries of one change before it is left for a person or a new file. */
  readonly maxTries: number;
  /** Returns a number from 0 to 1. */
  readonly random: () => number;
}

/** Returns the work queue's result for a reconciled publication. `failures`: consecutive failures, including this one if it is a failure. */
export function resultOf(reconciled: Reconciled, failures: number, retryPolicy: RetryPolicy): Result {
  switch (reconciled.kind) {
    case 'inSync':
      return { kind: 'done' };
    case 'notAllowed':
    case 'deferred':
      return { kind: 'dropped' };
    case 'held':
      return { kind: 'blocked' };
    case 'tooEarly':
      return { kind: 'again', afterMs: reconciled.afterMs, failures: failures - 1 };
    case 'unreadable':
      return resultOfFailure(reconciled.failing, failures, retryPolicy);
    case 'attempted': {
      const { outcome, isRecorded } = reconciled;
      if (!isRecorded) return { kind: 'blocked' };
      if (outcome.kind === 'superseded') return { kind: 'dropped' };
      if (!('failure' in outcome)) return { kind: 'done' };
      // It waited too long for a slot or a connection, which is no failure of the change.
      if (outcome.failure.code === 'REQUEST_NOT_SENT') return { kind: 'again', afterMs: 0, failures: failures - 1 };
      return resultOfFailure(outcome.kind, failures, retryPolicy);
    }
    default:
      return assertNever(reconciled);
  }
}

/** Returns the result for one more failure: retry with backoff, or blocked after `maxTries`. */
export function requeueWithBackoff(failures: number, { maxTries, random }: RetryPolicy): Result {
  return failures >= maxTries ? { kind: 'blocked' } : { kind: 'again', afterMs: backoffMs(failures, random()), failures };
}

/** Returns the failure with which the gateway rejected the credentials; `null` if it did not. */
export function authFailure(reconciled: Reconciled): Failure | null {
  if (reconciled.kind === 'unreadable') return reconciled.failing === 'unauthorized' ? reconciled.failure : null;
  if (reconciled.kind !== 'attempted' || !reconciled.isRecorded) return null;
  const { outcome } = reconciled;
  return outcome.kind === 'unauthorized' ? outcome.failure : null;
}

function resultOfFailure(kind: FailureKind | 'unknown', failures: number, retryPolicy: RetryPolicy): Result {
  switch (kind) {
    case 'rejected':
      return { kind: 'blocked' };
    case 'unauthorized':
      return { kind: 'again', afterMs: 0, failures: failures - 1 };
    case 'throttled':
    case 'unknown':
    case 'retryable':
      return requeueWithBackoff(failures, retryPolicy);
    default:
      return assertNever(kind);
  }
}
