import { EdictError } from '../model/errors.ts';
import type { Emit } from '../model/events.ts';
import type { Clock, Store } from '../model/ports.ts';
import type { GatewayIdentity } from '../model/publication.ts';

export interface HistoryPrunerDeps {
  readonly store: Pick<Store, 'pruneHistory'>;
  readonly clock: Clock;
  readonly emit: Emit;
  /** How long attempts are kept, in milliseconds; `null`: for ever. */
  readonly retentionMs: number | null;
}

const pruneIntervalMs = 24 * 3_600_000;

/** Nothing waits for this: after each few rows others have their turn. */
const batchDelayMs = 50;

/** Deletes old attempts once a day. */
export class HistoryPruner {
  readonly #deps: HistoryPrunerDeps;
  #nextAtMs = Number.NEGATIVE_INFINITY;

  constructor(deps: HistoryPrunerDeps) {
    this.#deps = deps;
  }

  /** Deletes what is too old if that is due; resolves when it is gone. A store that fails is tidied the next day. Never rejects for it. */
  async prune(gateway: GatewayIdentity, signal: AbortSignal): Promise<void> {
    const { store, clock, emit, retentionMs } = this.#deps;
    if (retentionMs === null || clock.monotonicMs() < this.#nextAtMs) return;
    this.#nextAtMs = clock.monotonicMs() + pruneIntervalMs;
    const beforeMs = clock.now() - retentionMs;
    let attemptCount = 0;
    try {
      for (let count = -1; count !== 0 && !signal.aborted; await clock.sleep(batchDelayMs, signal)) {
        count = await store.pruneHistory(gateway, beforeMs);
        attemptCount += count;
      }
    } catch (error) {
      if (!(error instanceof EdictError)) throw error;
      emit({ type: 'store:error', reconcileId: '', message: error.message });
    }
    if (attemptCount > 0) emit({ type: 'history:pruned', attemptCount, beforeMs });
  }
}
