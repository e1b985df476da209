import type { Failure, Outcome } from '../model/outcome.ts';
import type { ReadFailure } from '../model/ports.ts';
import type { Action } from '../model/publication.ts';
import { type ErrorRule, findErrorRule } from './error-rules.ts';
import { GatewayError } from './errors.ts';

/** Returns what comes of a call for `action` that ended in `error`. Throws whatever is no GatewayError: that is a bug. */
export function toOutcome(error: unknown, action: Action): Outcome {
  if (!(error instanceof GatewayError)) throw error;
  const row = findErrorRule(error.code, error.status, action);
  if (row.errorClass === 'already so') return { kind: 'succeeded', versionId: null, publishId: null };
  const failure = toFailure(error, row);
  return row.errorClass === 'look first' ? { kind: 'unknown', failure } : failureFor(row, failure);
}

/** Returns why a read that ended in `error` has no value; `null` if what it asks for is not there. Throws like `outcomeOf`. */
export function toReadFailure(error: unknown): ReadFailure | null {
  if (!(error instanceof GatewayError)) throw error;
  const row = findErrorRule(error.code, error.status, 'read');
  return row.errorClass === 'already so' ? null : failureFor(row, toFailure(error, row));
}

function failureFor({ errorClass }: ErrorRule, failure: Failure): ReadFailure {
  switch (errorClass) {
    case 'slow down':
      return { kind: 'wait', failure };
    case 'renew credentials':
      return { kind: 'refused', failure };
    case 'wait for a person':
    case 'wrong address':
      return { kind: 'stalled', failure };
    default:
      return { kind: 'retry', failure };
  }
}

function toFailure({ code, status, message, requestId, retryAfterMs }: GatewayError, { hint }: ErrorRule): Failure {
  return { code, status, message, hint, requestId, retryAfterMs };
}
