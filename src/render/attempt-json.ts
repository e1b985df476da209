import type { Approval } from '../model/approval.ts';
import type { Attempt } from '../model/ports.ts';
import { formatTimestamp } from './format.ts';

/** Returns the JSON form of an approval. */
export function approvalJson({ id, digest, by, reason, approvedAtMs, expiresAtMs, scope, usedKeys }: Approval) {
  return {
    id,
    digest,
    by,
    why: reason,
    at: formatTimestamp(approvedAtMs),
    expires: formatTimestamp(expiresAtMs),
    items: scope.length,
    made: usedKeys.size,
  };
}

/** Returns the JSON form of an attempt. */
export function historyAttemptJson(attempt: Attempt) {
  const { id, reconcileId, requestedVersionId, priorState, approval, startedAtMs, finishedAtMs, ...rest } = attempt;
  return {
    ...{ id, passId: reconcileId, ...rest, askedVersionId: requestedVersionId, before: priorState },
    approval: approval && { by: approval.by, why: approval.reason },
    began: new Date(startedAtMs).toISOString(),
    settled: finishedAtMs === null ? null : new Date(finishedAtMs).toISOString(),
  };
}
