import { assertNever } from '../model/errors.ts';
import type { Failure, FailureKind } from '../model/outcome.ts';
import type { Result } from './queue/workqueue.ts';
import type { Reconciled } from './reconciler.ts';
import { backoffMs } from './retry.ts';

export interface RetryPolicy {
  /** How often one change is tried in a row before it waits for a person or a new file. */
  readonly maxTries: number;
  /** Returns a number from 0 to 1. */
  readonly random: () => number;
}

/** Returns what becomes of a publication after it was reconciled. `failures`: how many there are in a row if this is one. */
export function resultOf(reconciled: Reconciled, failures: number, patience: RetryPolicy): Result {
  switch (reconciled.kind) {
    case 'in sync':
    case 'waits':
      return { kind: 'done' };
    case 'held':
      return { kind: 'stalled' };
    case 'early':
      return { kind: 'again', afterMs: reconciled.afterMs, failures: failures - 1 };
    case 'unread':
      return resultOfFailure(reconciled.failing, failures, patience);
    case 'attempted': {
      const { outcome, isRecorded } = reconciled;
      if (!isRecorded) return { kind: 'stalled' };
      return 'failure' in outcome ? resultOfFailure(outcome.kind, failures, patience) : { kind: 'done' };
    }
    default:
      return assertNever(reconciled);
  }
}

/** Returns the verdict on one more failure: try again after a growing delay, or give up. */
export function requeueWithBackoff(failures: number, { maxTries, random }: RetryPolicy): Result {
  return failures >= maxTries ? { kind: 'stalled' } : { kind: 'again', afterMs: backoffMs(failures, random()), failures };
}

/** Returns with what the gateway has refused the credentials; `null` if it has not. */
export function authFailure(reconciled: Reconciled): Failure | null {
  if (reconciled.kind === 'unread') return reconciled.failing === 'refused' ? reconciled.failure : null;
  if (reconciled.kind !== 'attempted' || !reconciled.isRecorded) return null;
  const { outcome } = reconciled;
  return outcome.kind === 'refused' ? outcome.failure : null;
}

function resultOfFailure(kind: FailureKind | 'unknown', failures: number, patience: RetryPolicy): Result {
  switch (kind) {
    case 'stalled':
      return { kind: 'stalled' };
    case 'refused':
      return { kind: 'again', afterMs: 0, failures: failures - 1 };
    case 'wait':
    case 'unknown':
    case 'retry':
      return requeueWithBackoff(failures, patience);
    default:
      return assertNever(kind);
  }
}
