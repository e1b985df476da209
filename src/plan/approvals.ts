import type { NewApproval } from '../model/approval.ts';
import type { Plan } from '../model/change.ts';
import { EdictError } from '../model/errors.ts';
import { planDigest } from './digest.ts';
import { approvalDigest, approvalScope } from './policies.ts';

/** What a person says who agrees to what is held. */
export interface ApprovalRequest {
  /** What `heldDigest` gives for the plan, or the plan's own digest. */
  readonly digest: string;
  readonly by: string;
  readonly reason: string;
  /** How long calls that rest on it may leave, in milliseconds. */
  readonly expiresAfterMs: number;
}

/** The longest that an approval may hold, in milliseconds: nobody remembers an older one. */
export const maxApprovalMs = 7 * 24 * 3_600_000;

/**
 * Returns the approval of all that `plan` holds. `nowMs`: milliseconds since 1970.
 *
 * @throws EdictError `APPROVAL_MISMATCH` if nothing is held, or another plan is held than the digest names
 */
export function createApproval(plan: Plan, { digest, by, reason, expiresAfterMs }: ApprovalRequest, nowMs: number): NewApproval {
  const held = approvalDigest(plan);
  if (held === null) {
    const message = plan.approval ? `this is approved already, by ${plan.approval.by}: ${plan.approval.reason}` : 'nothing is held';
    throw new EdictError('APPROVAL_MISMATCH', message, { hint: '`edict plan` shows what would be done' });
  }
  if (digest !== held && digest !== planDigest(plan)) {
    throw new EdictError('APPROVAL_MISMATCH', `${digest} is not what is held now: that is ${held}`, {
      hint: 'the file, the record or the targets have changed since; look at `edict plan` and agree to what it shows',
    });
  }
  return { digest: held, by, reason, approvedAtMs: nowMs, expiresAtMs: nowMs + expiresAfterMs, scope: approvalScope(plan) };
}
