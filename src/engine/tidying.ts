import { EdictError } from '../core/errors.ts';
import type { Emit } from '../core/events.ts';
import type { Clock, Store } from '../core/ports.ts';
import type { GatewayIdentity } from '../core/publication.ts';

export interface TidyingDeps {
  readonly store: Pick<Store, 'prune'>;
  readonly clock: Clock;
  readonly emit: Emit;
  /** How long attempts are kept, in milliseconds; `null`: for ever. */
  readonly keepMs: number | null;
}

const everyMs = 24 * 3_600_000;

/** Nothing waits for this: after each few rows others have their turn. */
const restMs = 50;

/** Deletes old attempts once a day. */
export class Tidying {
  readonly #deps: TidyingDeps;
  #nextAtMs = Number.NEGATIVE_INFINITY;

  constructor(deps: TidyingDeps) {
    this.#deps = deps;
  }

  /** Deletes what is too old if that is due; resolves when it is gone. A store that fails is tidied the next day. Never rejects for it. */
  async tidy(gateway: GatewayIdentity, signal: AbortSignal): Promise<void> {
    const { store, clock, emit, keepMs } = this.#deps;
    if (keepMs === null || clock.monotonic() < this.#nextAtMs) return;
    this.#nextAtMs = clock.monotonic() + everyMs;
    const beforeMs = clock.now() - keepMs;
    let attempts = 0;
    try {
      for (let count = -1; count !== 0 && !signal.aborted; await clock.sleep(restMs, signal)) {
        count = await store.prune(gateway, beforeMs);
        attempts += count;
      }
    } catch (error) {
      if (!(error instanceof EdictError)) throw error;
      emit({ type: 'store:failed', passId: '', message: error.message });
    }
    if (attempts > 0) emit({ type: 'history:pruned', attempts, beforeMs });
  }
}
