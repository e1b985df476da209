import { isBehind, wantedDigest } from '../core/acted.ts';
import type { Clock, RecordReader } from '../core/ports.ts';
import type { DesiredState } from '../core/publication.ts';

/** How long a free gateway is left to edicts with a newer file, in milliseconds: a checkout or a ConfigMap is as new everywhere by then. */
const patienceMs = 180_000;

export interface TakeOverDeps {
  readonly record: Pick<RecordReader, 'acted' | 'holder'>;
  readonly clock: Pick<Clock, 'monotonic'>;
}

/** Whether a gateway may be taken over: `held` by another edict; `behind`: not yet, since this one's file is older. */
export type TakeOver = 'free' | 'held' | 'behind';

/**
 * Keeps an edict that stood by from undoing what the one before it has done for a file that has not come here yet. What was never acted on is
 * taken for newer.
 */
export class TakeOvers {
  readonly #deps: TakeOverDeps;
  #freeSinceMs: number | null = null;
  #mine: { readonly desired: DesiredState; readonly digest: string } | null = null;

  constructor(deps: TakeOverDeps) {
    this.#deps = deps;
  }

  /** Returns whether the gateway may be taken over with this file. Rejects with an EdictError `STORE_*`. */
  async may(desired: DesiredState): Promise<TakeOver> {
    const { record, clock } = this.#deps;
    // It is asked for again and again, and costs time with a large file.
    if (this.#mine?.desired !== desired) this.#mine = { desired, digest: wantedDigest(desired) };
    const isOld = isBehind(await record.acted(desired.gateway), this.#mine.digest);
    const isHeld = isOld && (await record.holder(desired.gateway)) !== null;
    this.#freeSinceMs = isOld && !isHeld ? (this.#freeSinceMs ?? clock.monotonic()) : null;
    if (this.#freeSinceMs === null) return isHeld ? 'held' : 'free';
    return clock.monotonic() - this.#freeSinceMs < patienceMs ? 'behind' : 'free';
  }
}
