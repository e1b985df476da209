import type { ServerResponse } from 'node:http';
import type { components } from '../../generated/edict-api.d.ts';
import type { PublicationKey } from '../model/publication.ts';
import { computeStatusCell, type PublicationStatus, type StatusCell } from '../plan/status.ts';
import { statusCellJson } from '../render/status-json.ts';
import { type DaemonInfo, daemonStatusJson } from './daemon-status.ts';
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

/**
 * Sends changes of the status cache to all subscribers, who share one serialized message. It does no work without subscribers, and limits
 * its share of the CPU however much changes.
 */
export class Broadcaster {
  readonly #cache: StatusCache;
  readonly #daemonInfo: DaemonInfo;
  readonly #subscribers = new Set<(message: Buffer) => void>();
  readonly #pending = new Set<ChangeScope>();
  readonly #unsubscribe: () => void;
  #sent = new Map<PublicationKey, SentCell>();
  #statusCounts = new Map<PublicationStatus, number>();
  #daemonMessage = '';
  #timer: NodeJS.Timeout | null = null;
  #idleUntilMs = 0;

  constructor(statusCache: StatusCache, daemonInfo: DaemonInfo) {
    this.#cache = statusCache;
    this.#daemonInfo = daemonInfo;
    this.#unsubscribe = statusCache.subscribe((changed) => this.#schedule(changed));
  }

  get subscribers(): number {
    return this.#subscribers.size;
  }

  /** Sends the whole status and then changes, until the returned function is called. */
  subscribe(send: (message: Buffer) => void): () => void {
    if (this.#subscribers.size === 0) this.#refresh(new Set(['all']));
    // Pending changes reach all subscribers with the next update.
    send(Buffer.from(this.#daemonMessage));
    send(
      Buffer.from(
        sseMessage('cells', `{"complete":true,"cells":[${[...this.#sent.values()].map(({ text }) => text).join(',')}],"removed":[]}`),
      ),
    );
    this.#subscribers.add(send);
    return () => {
      this.#subscribers.delete(send);
      if (this.#subscribers.size === 0) this.#reset();
    };
  }

  /** Removes all subscribers and stops updates. */
  close(): void {
    this.#unsubscribe();
    this.#subscribers.clear();
    this.#reset();
  }

  #reset(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    this.#pending.clear();
    this.#sent.clear();
    this.#statusCounts.clear();
    this.#daemonMessage = '';
  }

  #schedule(changed: ChangeScope): void {
    if (this.#subscribers.size === 0) return;
    this.#pending.add(changed);
    this.#timer ??= setTimeout(() => this.#flush(), Math.max(0, this.#idleUntilMs - performance.now()));
  }

  #flush(): void {
    const startedAtMs = performance.now();
    this.#timer = null;
    const changed = new Set(this.#pending);
    this.#pending.clear();
    const before = this.#daemonMessage;
    const { cells, removed } = this.#refresh(changed);
    if (cells.length + removed.length > 0) {
      this.#send(sseMessage('cells', `{"complete":false,"cells":[${cells.join(',')}],"removed":${JSON.stringify(removed)}}`));
    }
    if (this.#daemonMessage !== before) this.#send(this.#daemonMessage);
    const endedAtMs = performance.now();
    this.#idleUntilMs = endedAtMs + Math.max(minIntervalMs, (endedAtMs - startedAtMs) * idleFactor);
  }

  /** Encodes a message once for all subscribers. */
  #send(message: string): void {
    const bytes = Buffer.from(message);
    for (const send of this.#subscribers) send(bytes);
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
      JSON.stringify(daemonStatusJson(this.#cache, Object.fromEntries(this.#statusCounts), this.#daemonInfo)),
    );
    return { cells, removed: removedKeys.map(([, { apiId, environmentId }]) => ({ apiId, environmentId })) };
  }

  #updateCell(cell: StatusCell, changedCells: string[]): void {
    const { key, status, apiId, environmentId } = cell;
    const text = JSON.stringify(statusCellJson(cell));
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

/** Interval of keep-alive comments, in milliseconds: proxies close idle connections. */
const heartbeatMs = 15_000;

/** A client with more unread bytes than this is disconnected, and starts over with the whole status. */
const maxBufferedBytes = 32 * 1024 * 1024;

/** Streams changes as server-sent events until either side closes the connection. */
export function streamEvents(response: ServerResponse, broadcaster: Pick<Broadcaster, 'subscribe'>): void {
  response.writeHead(200, {
    ...response.getHeaders(),
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
  });
  const unsubscribe = broadcaster.subscribe((message) => {
    response.write(message);
    if (response.writableLength > maxBufferedBytes) response.destroy();
  });
  const timer = setInterval(() => response.write(': alive\n\n'), heartbeatMs);
  timer.unref();
  response.on('close', () => {
    clearInterval(timer);
    unsubscribe();
  });
}
