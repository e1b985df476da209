import type { AcquireRequestSlot, Lease } from '../core/ports.ts';
import { notSentError } from './gateway-error.ts';

/**
 * Returns an `admit` that lets nothing leave when the lease is not held any more, however late its turn comes. It rejects with a
 * ConnectionError `NOT_SENT` then.
 */
export function withLease(lease: Lease, admit: AcquireRequestSlot): AcquireRequestSlot {
  return async (signal) => {
    const ended = await admit(signal);
    if (lease.isHeld()) return ended;
    ended({ kind: 'unsent', retryAfterMs: null, rateLimit: null });
    throw notSentError();
  };
}
