import { randomUUID } from 'node:crypto';
import type { Change } from '../../model/change.ts';
import type { Outcome } from '../../model/outcome.ts';
import type { Clock, Gateway } from '../../model/ports.ts';
import type { GatewaySettings } from '../../model/publication.ts';
import { batchKey } from '../../plan/batch.ts';

/** A place in a call to come. Either `send` or `leave` must be called. */
export interface BatchSlot {
  /** What the call's remark will carry; `null`: nothing. */
  readonly marker: string | null;
  /** Resolves to what came of the change. `isWanted` is asked at the moment before the request leaves. */
  send(isWanted: () => boolean): Promise<Outcome>;
  /** Gives the place up: nothing is sent for it. */
  cancel(): void;
}

export interface BatcherDeps {
  readonly gateway: Pick<Gateway, 'send' | 'sendBatch'>;
  readonly settings: Pick<GatewaySettings, 'batchSize' | 'isMarkerEnabled'>;
  readonly clock: Pick<Clock, 'sleep'>;
  /** Ends the waiting for a turn. */
  readonly signal: AbortSignal;
}

/** How long a call waits for more changes that could go with it, in milliseconds. */
const lingerMs = 20;

/**
 * Puts changes into calls: each into one of its own, or up to `batch` of one environment, action and remark into one. A
 * place is taken before the attempt is recorded, since the marker is the call's and the record must hold it.
 */
export class Batcher {
  readonly #deps: BatcherDeps;
  readonly #openBatches = new Map<string, Batch>();
  /** The most places in a call now: less after a call that failed as a whole, since one change alone may be why. */
  #maxSize: number;

  constructor(deps: BatcherDeps) {
    this.#deps = deps;
    this.#maxSize = deps.settings.batchSize;
  }

  /** Returns a place for `change`. A version is switched to in a call of its own. */
  reserve(change: Change): BatchSlot {
    const name = batchKey(change);
    if (this.#maxSize === 1 || name === null) return this.#singleCall(change);
    let departure = this.#openBatches.get(name);
    if (!departure) {
      const opened = new Batch(this.#newMarker(change), (group) => void this.#flush(group));
      departure = opened;
      this.#openBatches.set(name, opened);
      void this.#deps.clock.sleep(lingerMs, this.#deps.signal).then(() => this.#closeBatch(name, opened));
    }
    const place = departure.reserve(change);
    if (departure.size >= this.#maxSize) this.#closeBatch(name, departure);
    return place;
  }

  #closeBatch(name: string, departure: Batch): void {
    if (this.#openBatches.get(name) === departure) this.#openBatches.delete(name);
    departure.close();
  }

  #singleCall(change: Change): BatchSlot {
    const { gateway, signal } = this.#deps;
    const marker = change.version === null ? this.#newMarker(change) : null;
    const send = async (isStillDesired: () => boolean): Promise<Outcome> => {
      const outcome = await gateway.send(change, { marker, isStillDesired }, signal);
      if (outcome.kind === 'succeeded') this.#growMaxSize();
      return outcome;
    };
    return { marker, send, cancel: () => undefined };
  }

  async #flush(travellers: readonly Entry[]): Promise<void> {
    const { gateway, signal } = this.#deps;
    const byChange = new Map(travellers.map((traveller) => [traveller.change, traveller]));
    const isStillDesired = (change: Change): boolean => byChange.get(change)?.isWanted() ?? false;
    const marker = travellers[0]?.marker ?? null;
    const { outcomes, isSameFailure } = await gateway.sendBatch([...byChange.keys()], { marker, isStillDesired }, signal);
    if (isSameFailure) this.#maxSize = Math.max(1, Math.floor(this.#maxSize / 2));
    else this.#growMaxSize();
    for (const [index, { resolve }] of travellers.entries()) resolve(outcomes[index] ?? { kind: 'dropped' });
  }

  #growMaxSize(): void {
    this.#maxSize = Math.min(this.#deps.settings.batchSize, this.#maxSize * 2);
  }

  #newMarker({ action }: Change): string | null {
    if (action !== 'online' || !this.#deps.settings.isMarkerEnabled) return null;
    // The first twelve digits of a random UUID are random, and Node has some in hand: to ask the system each time costs more than a commit.
    return randomUUID().replace('-', '').slice(0, 12);
  }
}

/** A change whose attempt is recorded, on its way into a call. */
interface Entry {
  readonly change: Change;
  readonly marker: string | null;
  readonly isWanted: () => boolean;
  readonly resolve: (outcome: Outcome) => void;
}

/** One call to come: it leaves when no more places are given away and everyone who has one is there or has left. */
class Batch {
  readonly #marker: string | null;
  readonly #flush: (travellers: readonly Entry[]) => void;
  readonly #entries: Entry[] = [];
  #reserved = 0;
  #cancelled = 0;
  #isClosed = false;

  constructor(marker: string | null, depart: (travellers: readonly Entry[]) => void) {
    this.#marker = marker;
    this.#flush = depart;
  }

  /** How many places have been given away. */
  get size(): number {
    return this.#reserved;
  }

  reserve(change: Change): BatchSlot {
    this.#reserved += 1;
    const marker = this.#marker;
    const send = (isWanted: () => boolean): Promise<Outcome> =>
      new Promise((resolve) => {
        this.#entries.push({ change, marker, isWanted, resolve });
        this.#flushIfComplete();
      });
    const cancel = (): void => {
      this.#cancelled += 1;
      this.#flushIfComplete();
    };
    return { marker, send, cancel };
  }

  /** Gives no more places away. */
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
