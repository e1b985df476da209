import type { Clock, StoreReader } from '../model/ports.ts';
import type { DesiredState } from '../model/publication.ts';
import { desiredDigest, isStaleSource } from '../plan/digest.ts';

/** How long a free gateway is left to edicts with a newer file, in milliseconds: a checkout or a ConfigMap is as new everywhere by then. */
const maxWaitMs = 180_000;

export interface StaleSourceCheckDeps {
  readonly record: Pick<StoreReader, 'appliedDigests' | 'leaseHolder'>;
  readonly clock: Pick<Clock, 'monotonicMs'>;
}

/** Whether a gateway may be taken over: `held` by another edict; `behind`: not yet, since this one's file is older. */
export type StaleSourceResult = 'free' | 'held' | 'behind';

/**
 * Keeps an edict that stood by from undoing what the one before it has done for a file that has not come here yet. What was never acted on is
 * taken for newer.
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
    // It is asked for again and again, and costs time with a large file.
    if (this.#own?.desired !== desired) this.#own = { desired, digest: desiredDigest(desired) };
    const isOld = isStaleSource(await record.appliedDigests(desired.gateway), this.#own.digest);
    const isHeld = isOld && (await record.leaseHolder(desired.gateway)) !== null;
    this.#freeSinceMs = isOld && !isHeld ? (this.#freeSinceMs ?? clock.monotonicMs()) : null;
    if (this.#freeSinceMs === null) return isHeld ? 'held' : 'free';
    return clock.monotonicMs() - this.#freeSinceMs < maxWaitMs ? 'behind' : 'free';
  }
}
