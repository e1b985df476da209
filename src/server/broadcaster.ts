import type { components } from '../../generated/edict-api.d.ts';
import type { PublicationKey } from '../model/publication.ts';
import { toJson } from '../model/visible.ts';
import { computeStatusCell, type PublicationStatus, type StatusCell } from '../plan/status.ts';
import { statusCellJson } from '../render/status-json.ts';
import { type DaemonInfo, daemonStatusJson } from './daemon-status.ts';
import { type EventSubscription, encodeEvents, type StreamMessage } from './event-stream.ts';
import { type ChangeScope, publicationKeysOf, type StatusCache } from './status-cache.ts';

type Schemas = components['schemas'];

/** The last state sent for one publication. */
interface SentCell {
  readonly text: string;
  readonly status: PublicationStatus;
  readonly apiId: string;
  readonly environmentId: string;
}

/** Minimum time between two updates, in milliseconds. The first update after an idle period is sent immediately. */
const minIntervalMs = 500;

/** Idle time after an update, as a multiple of the time it took: updates use at most 1/60 of the time. */
const idleFactor = 60;

/** How long the state is kept up to date after the last subscriber has left, in milliseconds: connecting again and again must not cost much. */
const defaultLingerMs = 60_000;

/**
 * Sends changes of the status cache to all subscribers, who share one serialized and compressed message. It does no work when nobody has
 * subscribed for a while, and limits its share of the CPU however much changes.
 */
export class Broadcaster {
  readonly #cache: StatusCache;
  readonly #daemonInfo: DaemonInfo;
  readonly #subscribers = new Set<(message: StreamMessage) => void>();
  readonly #pending = new Set<ChangeScope>();
  readonly #unsubscribe: () => void;
  readonly #lingerMs: number;
  #sent = new Map<PublicationKey, SentCell>();
  #statusCounts = new Map<PublicationStatus, number>();
  #daemonMessage = '';
  /** The whole status for new subscribers; `null` if it has changed since the last one. */
  #whole: StreamMessage | null = null;
  #timer: NodeJS.Timeout | null = null;
  #idleUntilMs = 0;
  /** Whether the sent state is kept up to date. */
  #isActive = false;
  #lingerTimer: NodeJS.Timeout | undefined;

  constructor(statusCache: StatusCache, daemonInfo: DaemonInfo, { lingerMs = defaultLingerMs }: { readonly lingerMs?: number } = {}) {
    this.#lingerMs = lingerMs;
    this.#cache = statusCache;
    this.#daemonInfo = daemonInfo;
    this.#unsubscribe = statusCache.subscribe((changed) => this.#schedule(changed));
  }

  get subscribers(): number {
    return this.#subscribers.size;
  }

  /** Returns the whole status, and sends later changes until unsubscribed. */
  subscribe(send: (message: StreamMessage) => void): EventSubscription {
    clearTimeout(this.#lingerTimer);
    if (!this.#isActive) this.#refresh(new Set(['all']));
    this.#isActive = true;
    // Pending changes reach all subscribers with the next update.
    this.#whole ??= encodeEvents(
      this.#daemonMessage +
        sseMessage('cells', `{"complete":true,"cells":[${[...this.#sent.values()].map(({ text }) => text).join(',')}],"removed":[]}`),
    );
    this.#subscribers.add(send);
    return {
      whole: this.#whole,
      unsubscribe: () => {
        if (!this.#subscribers.delete(send) || this.#subscribers.size > 0) return;
        this.#lingerTimer = setTimeout(() => this.#reset(), this.#lingerMs);
        this.#lingerTimer.unref();
      },
    };
  }

  /** Removes all subscribers and stops updates. */
  close(): void {
    this.#unsubscribe();
    this.#subscribers.clear();
    this.#reset();
  }

  #reset(): void {
    clearTimeout(this.#lingerTimer);
    this.#isActive = false;
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    this.#pending.clear();
    this.#sent.clear();
    this.#statusCounts.clear();
    this.#daemonMessage = '';
    this.#whole = null;
  }

  #schedule(changed: ChangeScope): void {
    if (!this.#isActive) return;
    this.#pending.add(changed);
    this.#timer ??= setTimeout(() => this.#flush(), Math.max(0, this.#idleUntilMs - performance.now())).unref();
  }

  #flush(): void {
    const startedAtMs = performance.now();
    this.#timer = null;
    const changed = new Set(this.#pending);
    this.#pending.clear();
    const before = this.#daemonMessage;
    const { cells, removed } = this.#refresh(changed);
    if (cells.length + removed.length > 0) {
      this.#send(sseMessage('cells', `{"complete":false,"cells":[${cells.join(',')}],"removed":${toJson(removed)}}`));
    }
    if (this.#daemonMessage !== before) this.#send(this.#daemonMessage);
    const endedAtMs = performance.now();
    this.#idleUntilMs = endedAtMs + Math.max(minIntervalMs, (endedAtMs - startedAtMs) * idleFactor);
  }

  /** Encodes a message once for all subscribers. */
  #send(text: string): void {
    if (this.#subscribers.size === 0) return;
    const message = encodeEvents(text);
    for (const send of this.#subscribers) send(message);
  }

  /** Updates the sent state, and returns the cells that changed or were removed. */
  #refresh(changed: ReadonlySet<ChangeScope>): { readonly cells: string[]; readonly removed: Schemas['Cells']['removed'] } {
    const { matrix } = this.#cache;
    const isAll = changed.has('all');
    const keys = isAll ? publicationKeysOf(this.#cache) : (changed as ReadonlySet<PublicationKey>);
    const cells: string[] = [];
    for (const key of keys) {
      const cell = matrix && computeStatusCell(key, matrix);
      if (cell) this.#updateCell(cell, cells);
    }
    const removedKeys = isAll ? [...this.#sent].filter(([key]) => !keys.has(key)) : [];
    for (const [key, { status }] of removedKeys) {
      this.#sent.delete(key);
      this.#count(status, -1);
    }
    this.#daemonMessage = sseMessage(
      'daemon',
      toJson(daemonStatusJson(this.#cache, Object.fromEntries(this.#statusCounts), this.#daemonInfo)),
    );
    this.#whole = null;
    return { cells, removed: removedKeys.map(([, { apiId, environmentId }]) => ({ apiId, environmentId })) };
  }

  #updateCell(cell: StatusCell, changedCells: string[]): void {
    const { key, status, apiId, environmentId } = cell;
    const text = toJson(statusCellJson(cell));
    const before = this.#sent.get(key);
    if (before?.text === text) return;
    if (before) this.#count(before.status, -1);
    this.#count(status, 1);
    this.#sent.set(key, { text, status, apiId, environmentId });
    changedCells.push(text);
  }

  #count(status: PublicationStatus, by: number): void {
    this.#statusCounts.set(status, (this.#statusCounts.get(status) ?? 0) + by);
  }
}

function sseMessage(event: 'daemon' | 'cells', json: string): string {
  return `event: ${event}\ndata: ${json}\n\n`;
}
