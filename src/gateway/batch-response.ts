import type { Change } from '../model/change.ts';
import type { Outcome } from '../model/outcome.ts';
import { type GatewayError, InvalidResponseError, ServiceError } from './errors.ts';
import { toOutcome } from './outcome.ts';
import { parsePublishResult } from './requests.ts';
import type { ResponseBodies } from './response.ts';
import { sanitize } from './sanitize.ts';

/**
 * Returns what the answer to a batch says of each change, in their order. It is a success also where some or all failed:
 * those stand in `failure` with errors of their own. What stands in neither list, or in both, may have happened.
 */
export function parseBatchResponse(
  changes: readonly Change[],
  answer: ResponseBodies['changePublications'],
  secrets: readonly string[],
): Outcome[] {
  const successes = new Map((answer.success ?? []).map((made) => [made.api_id, made]));
  const failures = new Map((answer.failure ?? []).map((failed) => [failed.api_id, failed]));
  return changes.map((change): Outcome => {
    const made = successes.get(change.apiId);
    const failed = failures.get(change.apiId);
    if (failed && !made) return toOutcome(toServiceError(failed, secrets), change.action);
    if (!made || failed) return toOutcome(ambiguousEntryError(failed !== undefined), change.action);
    try {
      return { kind: 'succeeded', ...parsePublishResult(made, 200, change, secrets) };
    } catch (error) {
      return toOutcome(error, change.action);
    }
  });
}

/** The status that the single call would have had is not told, and every code that matters decides without it. */
function toServiceError(
  { error_code: code, error_msg: message = '' }: { readonly error_code: string; readonly error_msg?: string },
  secrets: readonly string[],
): GatewayError {
  const said = sanitize(message, secrets);
  return new ServiceError({
    status: 200,
    errorCode: sanitize(code, secrets, 64),
    errorMsg: said,
    requestId: null,
    retryAfterMs: null,
    rateLimit: null,
  });
}

function ambiguousEntryError(isInBoth: boolean): GatewayError {
  const where = isInBoth ? 'both as done and as failed' : 'neither as done nor as failed';
  return new InvalidResponseError(`answered 200, and the API is named ${where}`, { status: 200 });
}
