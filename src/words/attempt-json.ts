import type { Approval } from '../core/guards.ts';
import type { Attempt } from '../core/ports.ts';
import { formatTimestamp } from './phrases.ts';

/** Returns an approval as other programs read it. */
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

/** Returns an attempt as other programs read it. */
export function historyAttemptJson({ startedAtMs, finishedAtMs, ...attempt }: Attempt) {
  return {
    ...attempt,
    began: new Date(startedAtMs).toISOString(),
    settled: finishedAtMs === null ? null : new Date(finishedAtMs).toISOString(),
  };
}
