import type { Admit, Lease } from '../core/ports.ts';
import { stopped } from './gateway-error.ts';

/**
 * Returns an `admit` that lets nothing leave when the lease is not held any more, however late its turn comes. It rejects with a
 * ConnectionError `NOT_SENT` then.
 */
export function underLease(lease: Lease, admit: Admit): Admit {
  return async (signal) => {
    const ended = await admit(signal);
    if (lease.isHeld()) return ended;
    ended({ kind: 'unsent', pauseMs: null, allowed: null });
    throw stopped();
  };
}
