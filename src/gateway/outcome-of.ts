import type { Failure, Outcome } from '../core/outcome.ts';
import type { ReadFailure } from '../core/ports.ts';
import type { Action } from '../core/publication.ts';
import { type AnswerRow, classify } from './classify.ts';
import { GatewayError } from './gateway-error.ts';

/** Returns what comes of a call for `action` that ended in `error`. Throws whatever is no GatewayError: that is a bug. */
export function outcomeOf(error: unknown, action: Action): Outcome {
  if (!(error instanceof GatewayError)) throw error;
  const row = classify(error.code, error.status, action);
  if (row.verdict === 'already so') return { kind: 'succeeded', versionId: null, publishId: null };
  const failure = failureOf(error, row);
  return row.verdict === 'look first' ? { kind: 'unknown', failure } : failed(row, failure);
}

/** Returns why a read that ended in `error` has no value; `null` if what it asks for is not there. Throws like `outcomeOf`. */
export function readFailureOf(error: unknown): ReadFailure | null {
  if (!(error instanceof GatewayError)) throw error;
  const row = classify(error.code, error.status, 'read');
  return row.verdict === 'already so' ? null : failed(row, failureOf(error, row));
}

function failed({ verdict }: AnswerRow, failure: Failure): ReadFailure {
  switch (verdict) {
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

function failureOf({ code, status, message, requestId, pauseMs }: GatewayError, { hint }: AnswerRow): Failure {
  return { code, status, message, hint, requestId, pauseMs };
}
