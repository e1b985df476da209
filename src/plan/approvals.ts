import type { NewApproval } from '../model/approval.ts';
import type { PlanHolds } from '../model/change.ts';
import { EdictError } from '../model/errors.ts';
import { planDigest } from './digest.ts';
import { approvalDigest, approvalScope } from './policies.ts';

/** A person's request to approve what is held. */
export interface ApprovalRequest {
  /** The plan's `approvalDigest` or `planDigest`, or its beginning with at least `shortDigestLength` hex digits. */
  readonly digest: string;
  readonly by: string;
  readonly reason: string;
  /** How long calls may be sent under the approval, in milliseconds. */
  readonly expiresAfterMs: number;
}

/** How many hex digits of a digest are enough to tell plans apart. */
export const shortDigestLength = 12;

/** Maximum lifetime of an approval, in milliseconds. After that, nobody remembers what was approved. */
export const maxApprovalMs = 7 * 24 * 3_600_000;

/**
 * Returns the approval of everything held in `plan`. `nowMs`: milliseconds since 1970.
 *
 * @throws EdictError `APPROVAL_MISMATCH` if nothing is held, or the digest names another plan
 */
export function createApproval(plan: PlanHolds, { digest, by, reason, expiresAfterMs }: ApprovalRequest, nowMs: number): NewApproval {
  const held = approvalDigest(plan);
  if (held === null) {
    const message = plan.approval ? `this is already approved by ${plan.approval.by}: ${plan.approval.reason}` : 'nothing is held';
    throw new EdictError('APPROVAL_MISMATCH', message, { hint: '`edict plan` shows what is held' });
  }
  if (!held.startsWith(digest) && !planDigest(plan).startsWith(digest)) {
    throw new EdictError('APPROVAL_MISMATCH', `${digest} does not match what is held now: ${held}`, {
      hint: 'the file, the recorded state or the targets have changed since; review `edict plan` and approve its digest',
    });
  }
  return { digest: held, by, reason, approvedAtMs: nowMs, expiresAtMs: nowMs + expiresAfterMs, scope: approvalScope(plan) };
}
