import type { Clock } from '../model/clock.ts';
import { LeaseHeldError } from '../model/errors.ts';
import type { GatewayIdentity } from '../model/gateway.ts';
import type { AcquiredLease, Store } from '../store/interface.ts';

export interface AcquireLeaseDeps {
  readonly store: Pick<Store, 'acquire'>;
  readonly clock: Clock;
  /** How long to wait while another process holds the lease, in milliseconds. */
  readonly waitMs: number;
  /** Whether to yield the lease to a process that holds fewer leases. */
  readonly sharesEvenly: boolean;
  /** Ends the wait. */
  readonly signal: AbortSignal;
  /** Called once with a message that names the lease holder. */
  readonly onWait: (message: string) => void;
}

/** Interval between attempts to acquire a held lease, in milliseconds. */
const pollIntervalMs = 200;

/** Acquires the gateway's lease as soon as it is free. Rejects as `Store.acquire` does after `waitMs` or once `signal` is aborted. */
export async function acquireLease(
  gateway: GatewayIdentity,
  { store, clock, waitMs, sharesEvenly, signal, onWait }: AcquireLeaseDeps,
): Promise<AcquiredLease> {
  const deadlineMs = clock.monotonicMs() + waitMs;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await store.acquire(gateway, clock.now(), sharesEvenly);
    } catch (error) {
      if (!(error instanceof LeaseHeldError)) throw error;
      if (signal.aborted || clock.monotonicMs() >= deadlineMs) throw error;
      if (attempt === 1) onWait(error.message);
    }
    await clock.sleep(pollIntervalMs, signal);
  }
}
