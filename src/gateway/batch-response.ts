import type { Change } from '../model/change.ts';
import type { Outcome } from '../model/outcome.ts';
import { type GatewayError, InvalidResponseError, ServiceError } from './errors.ts';
import { toOutcome } from './outcome.ts';
import { parsePublishResult } from './requests.ts';
import type { ResponseBodies } from './response.ts';
import { sanitize } from './sanitize.ts';

/**
 * Returns the outcome of each change of a batch, in the order of `changes`. The response is a success even if some or all changes
 * failed: those are in `failure`, each with its own error. A change in neither list, or in both, has an unknown outcome.
 */
export function parseBatchResponse(
  changes: readonly Change[],
  response: ResponseBodies['changePublications'],
  secrets: readonly string[],
): Outcome[] {
  const successes = new Map((response.success ?? []).map((succeeded) => [succeeded.api_id, succeeded]));
  const failures = new Map((response.failure ?? []).map((failed) => [failed.api_id, failed]));
  return changes.map((change): Outcome => {
    const succeeded = successes.get(change.apiId);
    const failed = failures.get(change.apiId);
    if (failed && !succeeded) return toOutcome(toServiceError(failed, secrets), change.action);
    if (!succeeded || failed) return toOutcome(ambiguousEntryError(failed !== undefined), change.action);
    try {
      return { kind: 'succeeded', ...parsePublishResult(succeeded, change, { status: 200, secrets }) };
    } catch (error) {
      return toOutcome(error, change.action);
    }
  });
}

/** The response does not contain the status of each change; every relevant error code is classified without it. */
function toServiceError(
  { error_code: code, error_msg: message = '' }: { readonly error_code: string; readonly error_msg?: string },
  secrets: readonly string[],
): GatewayError {
  const safeMessage = sanitize(message, secrets);
  return new ServiceError({
    status: 200,
    errorCode: sanitize(code, secrets, 64),
    errorMsg: safeMessage,
    requestId: null,
    retryAfterMs: null,
    rateLimit: null,
  });
}

function ambiguousEntryError(isInBoth: boolean): GatewayError {
  const where = isInBoth ? 'both as done and as failed' : 'neither as done nor as failed';
  return new InvalidResponseError(`answered 200, and the API is named ${where}`, { status: 200 });
}
