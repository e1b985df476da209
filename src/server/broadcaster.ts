import type { ServerResponse } from 'node:http';
import type { components } from '../../generated/edict-api.d.ts';
import type { PublicationKey } from '../model/publication.ts';
import { computeStatusCell, type PublicationStatus, type StatusCell } from '../plan/status.ts';
import { statusCellJson } from '../render/status-json.ts';
import { type DaemonInfo, daemonStatusJson } from './daemon-status.ts';
import { type ChangeScope, publicationKeysOf, type StatusCache } from './status-cache.ts';

type Schemas = components['schemas'];

/** What was told of one publication. */
interface SentCell {
  readonly text: string;
  readonly status: PublicationStatus;
  readonly apiId: string;
  readonly environmentId: string;
}

/** The shortest time between two tellings, in milliseconds; the first after a quiet time comes at once. */
const minIntervalMs = 500;

/** Telling takes one part in so many of the time at most. */
const idleFactor = 60;

/**
 * Tells everybody who looks what changes on the board, and only that; the same text for all. While nobody looks it costs
 * nothing, and however much changes, it takes a small part of the process's time.
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

  constructor(board: StatusCache, about: DaemonInfo) {
    this.#cache = board;
    this.#daemonInfo = about;
    this.#unsubscribe = board.subscribe((touched) => this.#schedule(touched));
  }

  get subscribers(): number {
    return this.#subscribers.size;
  }

  /** Sends everything that there is, and from then on what changes, until the returned function is called. */
  subscribe(send: (message: Buffer) => void): () => void {
    if (this.#subscribers.size === 0) this.#refresh(new Set(['all']));
    // What has changed and was not told yet comes to all with the next message.
    send(Buffer.from(this.#daemonMessage));
    send(
      Buffer.from(
        sseMessage('cells', `{"isWhole":true,"cells":[${[...this.#sent.values()].map(({ text }) => text).join(',')}],"gone":[]}`),
      ),
    );
    this.#subscribers.add(send);
    return () => {
      this.#subscribers.delete(send);
      if (this.#subscribers.size === 0) this.#reset();
    };
  }

  /** Tells nobody anything any more. */
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

  #schedule(touched: ChangeScope): void {
    if (this.#subscribers.size === 0) return;
    this.#pending.add(touched);
    this.#timer ??= setTimeout(() => this.#flush(), Math.max(0, this.#idleUntilMs - performance.now()));
  }

  #flush(): void {
    const startedAtMs = performance.now();
    this.#timer = null;
    const touched = new Set(this.#pending);
    this.#pending.clear();
    const before = this.#daemonMessage;
    const { cells, gone } = this.#refresh(touched);
    if (cells.length + gone.length > 0) {
      this.#send(sseMessage('cells', `{"isWhole":false,"cells":[${cells.join(',')}],"gone":${JSON.stringify(gone)}}`));
    }
    if (this.#daemonMessage !== before) this.#send(this.#daemonMessage);
    const endedAtMs = performance.now();
    this.#idleUntilMs = endedAtMs + Math.max(minIntervalMs, (endedAtMs - startedAtMs) * idleFactor);
  }

  /** The text is made to bytes once for all. */
  #send(message: string): void {
    const bytes = Buffer.from(message);
    for (const send of this.#subscribers) send(bytes);
  }

  /** Brings what was told up to date, and returns what of it is new. */
  #refresh(touched: ReadonlySet<ChangeScope>): { readonly cells: string[]; readonly gone: Schemas['Cells']['gone'] } {
    const { matrix } = this.#cache;
    const isAll = touched.has('all');
    const keys = isAll ? publicationKeysOf(this.#cache) : (touched as ReadonlySet<PublicationKey>);
    const cells: string[] = [];
    for (const key of keys) {
      const cell = matrix && computeStatusCell(key, matrix);
      if (cell) this.#updateCell(cell, cells);
    }
    const left = isAll ? [...this.#sent].filter(([key]) => !keys.has(key)) : [];
    for (const [key, { status }] of left) {
      this.#sent.delete(key);
      this.#count(status, -1);
    }
    this.#daemonMessage = sseMessage(
      'live',
      JSON.stringify(daemonStatusJson(this.#cache, Object.fromEntries(this.#statusCounts), this.#daemonInfo)),
    );
    return { cells, gone: left.map(([, { apiId, environmentId }]) => ({ apiId, environmentId })) };
  }

  #updateCell(cell: StatusCell, changed: string[]): void {
    const { key, status, apiId, environmentId } = cell;
    const text = JSON.stringify(statusCellJson(cell));
    const before = this.#sent.get(key);
    if (before?.text === text) return;
    if (before) this.#count(before.status, -1);
    this.#count(status, 1);
    this.#sent.set(key, { text, status, apiId, environmentId });
    changed.push(text);
  }

  #count(standing: PublicationStatus, by: number): void {
    this.#statusCounts.set(standing, (this.#statusCounts.get(standing) ?? 0) + by);
  }
}

function sseMessage(event: 'live' | 'cells', json: string): string {
  return `event: ${event}\ndata: ${json}\n\n`;
}

/** A connection that says nothing is taken for dead by what lies between, so it says something so often, in milliseconds. */
const heartbeatMs = 15_000;

/** Who takes this much longer than the rest to read, in bytes, begins anew. */
const maxBufferedBytes = 32 * 1024 * 1024;

/** Sends what changes to one who looks, as server-sent events, until either side ends it. */
export function streamEvents(response: ServerResponse, broadcast: Pick<Broadcaster, 'subscribe'>): void {
  response.writeHead(200, {
    ...response.getHeaders(),
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
  });
  const unsubscribe = broadcast.subscribe((message) => {
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
