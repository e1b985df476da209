import type { Failure, Outcome } from '../core/outcome.ts';
import type { Action } from '../core/publication.ts';
import { classify } from './classify.ts';
import { GatewayError } from './gateway-error.ts';

/** The pause where a server asks for one without saying how long. */
const usualPauseMs = 10_000;

/** Returns what comes of a call for `action` that ended in `error`. Throws whatever is no GatewayError: that is a bug. */
export function outcomeOf(error: unknown, action: Action): Outcome {
  if (!(error instanceof GatewayError)) throw error;
  const row = classify(error.code, error.status, action);
  const failure: Failure = { code: error.code, status: error.status, message: error.message, hint: row.hint, requestId: error.requestId };
  switch (row.verdict) {
    case 'succeeded':
      return { kind: 'succeeded', versionId: null, publishId: null };
    case 'wait':
      return { kind: 'wait', afterMs: error.pauseMs ?? usualPauseMs, failure };
    case 'retry':
      return error.pauseMs === null ? { kind: 'retry', failure } : { kind: 'wait', afterMs: error.pauseMs, failure };
    case 'renew':
      return { kind: 'stalled', failure };
    default:
      return { kind: row.verdict, failure };
  }
}
