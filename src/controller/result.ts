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
    case 'in sync':
    case 'waits':
      return { kind: 'done' };
    case 'held':
      return { kind: 'stalled' };
    case 'early':
      return { kind: 'again', afterMs: reconciled.afterMs, failures: failures - 1 };
    case 'unread':
      return resultOfFailure(reconciled.failing, failures, retryPolicy);
    case 'attempted': {
      const { outcome, isRecorded } = reconciled;
      if (!isRecorded) return { kind: 'stalled' };
      return 'failure' in outcome ? resultOfFailure(outcome.kind, failures, retryPolicy) : { kind: 'done' };
    }
    default:
      return assertNever(reconciled);
  }
}

/** Returns the result for one more failure: retry with backoff, or stalled after `maxTries`. */
export function requeueWithBackoff(failures: number, { maxTries, random }: RetryPolicy): Result {
  return failures >= maxTries ? { kind: 'stalled' } : { kind: 'again', afterMs: backoffMs(failures, random()), failures };
}

/** Returns the failure with which the gateway rejected the credentials; `null` if it did not. */
export function authFailure(reconciled: Reconciled): Failure | null {
  if (reconciled.kind === 'unread') return reconciled.failing === 'refused' ? reconciled.failure : null;
  if (reconciled.kind !== 'attempted' || !reconciled.isRecorded) return null;
  const { outcome } = reconciled;
  return outcome.kind === 'refused' ? outcome.failure : null;
}

function resultOfFailure(kind: FailureKind | 'unknown', failures: number, retryPolicy: RetryPolicy): Result {
  switch (kind) {
    case 'stalled':
      return { kind: 'stalled' };
    case 'refused':
      return { kind: 'again', afterMs: 0, failures: failures - 1 };
    case 'wait':
    case 'unknown':
    case 'retry':
      return requeueWithBackoff(failures, retryPolicy);
    default:
      return assertNever(kind);
  }
}
