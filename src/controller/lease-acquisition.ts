import { LeaseHeldError } from '../model/errors.ts';
import type { AcquiredLease, Clock, Store } from '../model/ports.ts';
import type { GatewayIdentity } from '../model/publication.ts';

export interface AcquireLeaseDeps {
  readonly store: Pick<Store, 'acquire'>;
  readonly clock: Clock;
  /** How long to wait while another edict has the lease, in milliseconds. */
  readonly waitMs: number;
  /** Whether to leave it to another edict that has fewer. */
  readonly sharesEvenly: boolean;
  /** Ends the waiting. */
  readonly signal: AbortSignal;
  /** Hears, once, whom it waits for. */
  readonly onWait: (message: string) => void;
}

/** How often a lease that another edict has is asked for, in milliseconds. */
const pollIntervalMs = 200;

/** Takes the gateway's lease as soon as it is free. Rejects as `Store.enter` does when the time is over or `signal` is aborted. */
export async function acquireLease(
  gateway: GatewayIdentity,
  { store, clock, waitMs, sharesEvenly, signal, onWait }: AcquireLeaseDeps,
): Promise<AcquiredLease> {
  const untilMs = clock.monotonicMs() + waitMs;
  for (let asked = 1; ; asked += 1) {
    try {
      return await store.acquire(gateway, clock.now(), sharesEvenly);
    } catch (error) {
      if (!(error instanceof LeaseHeldError)) throw error;
      if (signal.aborted || clock.monotonicMs() >= untilMs) throw error;
      if (asked === 1) onWait(error.message);
    }
    await clock.sleep(pollIntervalMs, signal);
  }
}
