import { randomUUID } from 'node:crypto';
import type { Gateway } from '../../gateway/interface.ts';
import type { Change } from '../../model/change.ts';
import type { Clock } from '../../model/clock.ts';
import type { GatewaySettings } from '../../model/gateway.ts';
import type { Outcome } from '../../model/outcome.ts';
import { batchKey } from '../../plan/batch.ts';

/** A slot in a future call. Either `send` or `cancel` must be called. */
export interface BatchSlot {
  /** The attempt marker in the call's remark; `null`: none. */
  readonly marker: string | null;
  /**
   * Resolves to the outcome of the change. `isWanted` is called right before the request leaves. Nothing is sent, and the outcome
   * is `retryable`, if `canSend` returns false when the connection is established.
   */
  send(isWanted: () => boolean, canSend: () => boolean): Promise<Outcome>;
  /** Releases the slot: nothing is sent for it. */
  cancel(): void;
}

export interface BatcherDeps {
  readonly gateway: Pick<Gateway, 'send' | 'sendBatch'>;
  readonly settings: Pick<GatewaySettings, 'batchSize' | 'isMarkerEnabled'>;
  readonly clock: Pick<Clock, 'sleep'>;
  /** Ends the wait for a request slot. */
  readonly signal: AbortSignal;
}

/** How long a batch stays open for more changes, in milliseconds. */
const lingerMs = 20;

/**
 * Groups changes into calls: one call a change, or up to `batchSize` changes with the same environment, action and remark. A
 * slot is reserved before the attempt is recorded, because the attempt must contain the call's marker.
 */
export class Batcher {
  readonly #deps: BatcherDeps;
  readonly #openBatches = new Map<string, Batch>();
  /** The current batch size limit: halved after a batch failed as a whole, because a single change may be the cause. */
  #maxSize: number;

  constructor(deps: BatcherDeps) {
    this.#deps = deps;
    this.#maxSize = deps.settings.batchSize;
  }

  /** Returns a slot for `change`. A version switch always has its own call. */
  reserve(change: Change): BatchSlot {
    const name = batchKey(change);
    if (this.#maxSize === 1 || name === null) return this.#singleCall(change);
    let batch = this.#openBatches.get(name);
    if (!batch) {
      const newBatch = new Batch(this.#newMarker(change), (entries) => void this.#flush(entries));
      batch = newBatch;
      this.#openBatches.set(name, newBatch);
      void this.#deps.clock.sleep(lingerMs, this.#deps.signal).then(() => this.#closeBatch(name, newBatch));
    }
    const slot = batch.reserve(change);
    if (batch.size >= this.#maxSize) this.#closeBatch(name, batch);
    return slot;
  }

  #closeBatch(name: string, batch: Batch): void {
    if (this.#openBatches.get(name) === batch) this.#openBatches.delete(name);
    batch.close();
  }

  #singleCall(change: Change): BatchSlot {
    const { gateway, signal } = this.#deps;
    const marker = change.version === null ? this.#newMarker(change) : null;
    const send = async (isStillDesired: () => boolean, canSend: () => boolean): Promise<Outcome> => {
      const outcome = await gateway.send(change, { marker, isStillDesired, canSend }, signal);
      if (outcome.kind === 'succeeded') this.#growMaxSize();
      return outcome;
    };
    return { marker, send, cancel: () => undefined };
  }

  async #flush(entries: readonly Entry[]): Promise<void> {
    const { gateway, signal } = this.#deps;
    const byChange = new Map(entries.map((entry) => [entry.change, entry]));
    const isStillDesired = (change: Change): boolean => byChange.get(change)?.isWanted() ?? false;
    const canSend = (): boolean => entries.every((entry) => entry.canSend());
    const marker = entries[0]?.marker ?? null;
    const { outcomes, isSameFailure } = await gateway.sendBatch([...byChange.keys()], { marker, isStillDesired, canSend }, signal);
    if (isSameFailure) this.#maxSize = Math.max(1, Math.floor(this.#maxSize / 2));
    else this.#growMaxSize();
    for (const [index, { resolve }] of entries.entries()) resolve(outcomes[index] ?? { kind: 'superseded' });
  }

  #growMaxSize(): void {
    this.#maxSize = Math.min(this.#deps.settings.batchSize, this.#maxSize * 2);
  }

  #newMarker({ action }: Change): string | null {
    if (action !== 'online' || !this.#deps.settings.isMarkerEnabled) return null;
    // The first twelve digits of a UUID are random, and Node caches random bytes for UUIDs: asking the system each time costs more than a commit.
    return randomUUID().replace('-', '').slice(0, 12);
  }
}

/** A change in a batch, with its attempt recorded. */
interface Entry {
  readonly change: Change;
  readonly marker: string | null;
  readonly isWanted: () => boolean;
  readonly canSend: () => boolean;
  readonly resolve: (outcome: Outcome) => void;
}

/** One future call: it is sent once it is closed and every reserved slot was filled or cancelled. */
class Batch {
  readonly #marker: string | null;
  readonly #flush: (entries: readonly Entry[]) => void;
  readonly #entries: Entry[] = [];
  #reserved = 0;
  #cancelled = 0;
  #isClosed = false;

  constructor(marker: string | null, flush: (entries: readonly Entry[]) => void) {
    this.#marker = marker;
    this.#flush = flush;
  }

  /** The number of reserved slots. */
  get size(): number {
    return this.#reserved;
  }

  reserve(change: Change): BatchSlot {
    this.#reserved += 1;
    const marker = this.#marker;
    const send = (isWanted: () => boolean, canSend: () => boolean): Promise<Outcome> =>
      new Promise((resolve) => {
        this.#entries.push({ change, marker, isWanted, canSend, resolve });
        this.#flushIfComplete();
      });
    const cancel = (): void => {
      this.#cancelled += 1;
      this.#flushIfComplete();
    };
    return { marker, send, cancel };
  }

  /** Closes the batch: no more slots can be reserved. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#flushIfComplete();
  }

  #flushIfComplete(): void {
    const isComplete = this.#isClosed && this.#entries.length + this.#cancelled === this.#reserved;
    if (isComplete && this.#entries.length > 0) this.#flush(this.#entries);
  }
}
