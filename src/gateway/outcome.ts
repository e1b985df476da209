import type { Failure, Outcome, ReadFailure } from '../model/outcome.ts';
import type { Action } from '../model/publication.ts';
import { type ErrorRule, findErrorRule } from './error-rules.ts';
import { GatewayError } from './errors.ts';

/** Returns the outcome of a call for `action` that failed with `error`. Rethrows an error that is no GatewayError: that is a bug. */
export function toOutcome(error: unknown, action: Action): Outcome {
  if (!(error instanceof GatewayError)) throw error;
  const rule = findErrorRule(error.code, error.status, action);
  if (rule.errorClass === 'alreadyApplied') return { kind: 'succeeded', versionId: null, publishId: null };
  const failure = toFailure(error, rule);
  return rule.errorClass === 'unknown' ? { kind: 'unknown', failure } : failureFor(rule, failure);
}

/** Returns the failure of a read that failed with `error`; `null` if the resource does not exist. Throws like `toOutcome`. */
export function toReadFailure(error: unknown): ReadFailure | null {
  if (!(error instanceof GatewayError)) throw error;
  const rule = findErrorRule(error.code, error.status, 'read');
  return rule.errorClass === 'alreadyApplied' ? null : failureFor(rule, toFailure(error, rule));
}

function failureFor({ errorClass }: ErrorRule, failure: Failure): ReadFailure {
  switch (errorClass) {
    case 'throttle':
      return { kind: 'throttled', failure };
    case 'reauthenticate':
      return { kind: 'unauthorized', failure };
    case 'rejected':
    case 'misconfigured':
      return { kind: 'rejected', failure };
    default:
      return { kind: 'retryable', failure };
  }
}

function toFailure({ code, status, message, requestId, retryAfterMs }: GatewayError, { hint }: ErrorRule): Failure {
  return { code, status, message, hint, requestId, retryAfterMs };
}
