import { planDigest } from './digest.ts';
import { EdictError } from './errors.ts';
import { heldDigest, heldWork, type NewApproval } from './guards.ts';
import type { Plan } from './plan.ts';

/** What a person says who agrees to what is held. */
export interface Agreeing {
  /** What `heldDigest` gives for the plan, or the plan's own digest. */
  readonly digest: string;
  readonly by: string;
  readonly why: string;
  /** How long calls that rest on it may leave, in milliseconds. */
  readonly expiresMs: number;
}

/** The longest that an approval may hold, in milliseconds: nobody remembers an older one. */
export const longestApprovalMs = 7 * 24 * 3_600_000;

/**
 * Returns the approval of all that `plan` holds. `nowMs`: milliseconds since 1970.
 *
 * @throws EdictError `APPROVAL` if nothing is held, or another plan is held than the digest names
 */
export function approvalOf(plan: Plan, { digest, by, why, expiresMs }: Agreeing, nowMs: number): NewApproval {
  const held = heldDigest(plan);
  if (held === null) {
    const message = plan.approval ? `this is approved already, by ${plan.approval.by}: ${plan.approval.why}` : 'nothing is held';
    throw new EdictError('APPROVAL', message, { hint: '`edict plan` shows what would be done' });
  }
  if (digest !== held && digest !== planDigest(plan)) {
    throw new EdictError('APPROVAL', `${digest} is not what is held now: that is ${held}`, {
      hint: 'the file, the record or the targets have changed since; look at `edict plan` and agree to what it shows',
    });
  }
  return { digest: held, by, why, atMs: nowMs, expiresAtMs: nowMs + expiresMs, work: heldWork(plan) };
}
