import type { Approval } from '../model/approval.ts';
import type { Attempt } from '../model/attempt.ts';
import { formatTimestamp } from './format.ts';

/** Returns the JSON form of an approval. */
export function approvalJson({ id, digest, by, reason, approvedAtMs, expiresAtMs, scope, usedKeys }: Approval) {
  return {
    id,
    digest,
    by,
    reason,
    approvedAt: formatTimestamp(approvedAtMs),
    expiresAt: formatTimestamp(expiresAtMs),
    entries: scope.length,
    used: usedKeys.size,
  };
}

/** Returns the JSON form of an attempt. */
export function historyAttemptJson(attempt: Attempt) {
  const { startedAtMs, finishedAtMs, ...rest } = attempt;
  return {
    ...rest,
    startedAt: new Date(startedAtMs).toISOString(),
    finishedAt: finishedAtMs === null ? null : new Date(finishedAtMs).toISOString(),
  };
}
