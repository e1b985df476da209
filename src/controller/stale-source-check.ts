import type { Clock } from '../model/clock.ts';
import type { DesiredState } from '../model/desired-state.ts';
import { desiredDigest, isStaleSource } from '../plan/digest.ts';
import type { StoreReader } from '../store/interface.ts';

/** How long a free gateway is left to instances with a newer file, in milliseconds: a checkout or ConfigMap has reached every host by then. */
const maxWaitMs = 180_000;

export interface StaleSourceCheckDeps {
  readonly record: Pick<StoreReader, 'appliedDigests' | 'leaseHolder'>;
  readonly clock: Pick<Clock, 'monotonicMs'>;
}

/** Whether a gateway may be taken over: `held`: another edict holds the lease; `behind`: not yet, because the file here is older. */
export type StaleSourceResult = 'free' | 'held' | 'behind';

/**
 * Prevents a standby from reverting changes that the previous lease holder made for a newer file that has not reached this
 * host yet. A file that was never applied counts as newer.
 */
export class StaleSourceCheck {
  readonly #deps: StaleSourceCheckDeps;
  #freeSinceMs: number | null = null;
  #own: { readonly desired: DesiredState; readonly digest: string } | null = null;

  constructor(deps: StaleSourceCheckDeps) {
    this.#deps = deps;
  }

  /** Returns whether the gateway may be taken over with this file. Rejects with an EdictError `STORE_*`. */
  async check(desired: DesiredState): Promise<StaleSourceResult> {
    const { record, clock } = this.#deps;
    // Cached because the check is polled and the digest of a large file is slow to compute.
    if (this.#own?.desired !== desired) this.#own = { desired, digest: desiredDigest(desired) };
    const isOld = isStaleSource(await record.appliedDigests(desired.gateway), this.#own.digest);
    const isHeld = isOld && (await record.leaseHolder(desired.gateway)) !== null;
    this.#freeSinceMs = isOld && !isHeld ? (this.#freeSinceMs ?? clock.monotonicMs()) : null;
    if (this.#freeSinceMs === null) return isHeld ? 'held' : 'free';
    return clock.monotonicMs() - this.#freeSinceMs < maxWaitMs ? 'behind' : 'free';
  }
}
