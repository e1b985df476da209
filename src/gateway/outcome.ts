import type { Failure, Outcome } from '../model/outcome.ts';
import type { ReadFailure } from '../model/ports.ts';
import type { Action } from '../model/publication.ts';
import { type ErrorRule, findErrorRule } from './error-rules.ts';
import { GatewayError } from './errors.ts';

/** Returns the outcome of a call for `action` that failed with `error`. Rethrows an error that is no GatewayError: that is a bug. */
export function toOutcome(error: unknown, action: Action): Outcome {
  if (!(error instanceof GatewayError)) throw error;
  const rule = findErrorRule(error.code, error.status, action);
  if (rule.errorClass === 'already so') return { kind: 'succeeded', versionId: null, publishId: null };
  const failure = toFailure(error, rule);
  return rule.errorClass === 'look first' ? { kind: 'unknown', failure } : failureFor(rule, failure);
}

/** Returns the failure of a read that failed with `error`; `null` if the resource does not exist. Throws like `toOutcome`. */
export function toReadFailure(error: unknown): ReadFailure | null {
  if (!(error instanceof GatewayError)) throw error;
  const rule = findErrorRule(error.code, error.status, 'read');
  return rule.errorClass === 'already so' ? null : failureFor(rule, toFailure(error, rule));
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
