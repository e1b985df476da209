import type { Clock } from '../model/clock.ts';
import { EdictError } from '../model/errors.ts';
import type { Emit } from '../model/events.ts';
import type { GatewayIdentity } from '../model/gateway.ts';
import type { PrunedBatch, Store } from '../store/interface.ts';

export interface HistoryPrunerDeps {
  readonly store: Pick<Store, 'pruneHistory' | 'pruneApprovals' | 'pruneRecordedState'>;
  readonly clock: Clock;
  readonly emit: Emit;
  /** How long attempts are kept, in milliseconds; `null` keeps them forever. */
  readonly retentionMs: number | null;
}

const pruneIntervalMs = 24 * 3_600_000;

/** The delay between two batches, in milliseconds: pruning is not urgent, so other writers go first. */
const batchDelayMs = 50;

/** Deletes, once a day, old attempts and publications that are offline and left the file long ago. */
export class HistoryPruner {
  readonly #deps: HistoryPrunerDeps;
  #nextAtMs = Number.NEGATIVE_INFINITY;

  constructor(deps: HistoryPrunerDeps) {
    this.#deps = deps;
  }

  /** Deletes expired attempts if pruning is due. A store failure is emitted, not thrown, and pruning is tried again the next day. */
  async prune(gateway: GatewayIdentity, signal: AbortSignal): Promise<void> {
    const { store, clock, emit, retentionMs } = this.#deps;
    if (retentionMs === null || clock.monotonicMs() < this.#nextAtMs) return;
    this.#nextAtMs = clock.monotonicMs() + pruneIntervalMs;
    const beforeMs = clock.now() - retentionMs;
    let attemptCount = 0;
    try {
      // First the publications, because their last attempts are kept as long as they are.
      while (!signal.aborted && (await store.pruneRecordedState(gateway, beforeMs)) > 0) await clock.sleep(batchDelayMs, signal);
      for (let afterId: number | null = 0; afterId !== null && !signal.aborted; await clock.sleep(batchDelayMs, signal)) {
        const pruned: PrunedBatch = await store.pruneHistory(gateway, { beforeMs, afterId });
        attemptCount += pruned.count;
        afterId = pruned.lastId;
      }
      if (!signal.aborted) await store.pruneApprovals(gateway, beforeMs);
    } catch (error) {
      if (!(error instanceof EdictError)) throw error;
      emit({ type: 'store:error', reconcileId: '', message: error.message });
    }
    if (attemptCount > 0) emit({ type: 'history:pruned', attemptCount, beforeMs });
  }
}
