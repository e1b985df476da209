import type { components } from '../../generated/edict-api.d.ts';
import { type Cell, cellOf, type Standing } from '../core/matrix.ts';
import type { PublicationKey } from '../core/publication.ts';
import { cellJson } from '../words/status-json.ts';
import { type Board, keysOn, type Touched } from './board.ts';
import { type About, liveJson } from './live-json.ts';

type Schemas = components['schemas'];

/** What was told of one publication. */
interface Told {
  readonly text: string;
  readonly standing: Standing;
  readonly apiId: string;
  readonly environmentId: string;
}

/** The shortest time between two tellings, in milliseconds; the first after a quiet time comes at once. */
const shortestMs = 500;

/** Telling takes one part in so many of the time at most. */
const restFactor = 60;

/**
 * Tells everybody who looks what changes on the board, and only that; the same text for all. While nobody looks it costs
 * nothing, and however much changes, it takes a small part of the process's time.
 */
export class Broadcast {
  readonly #board: Board;
  readonly #about: About;
  readonly #subscribers = new Set<(message: Buffer) => void>();
  readonly #touched = new Set<Touched>();
  readonly #unlisten: () => void;
  #told = new Map<PublicationKey, Told>();
  #standings = new Map<Standing, number>();
  #live = '';
  #timer: NodeJS.Timeout | null = null;
  #restUntilMs = 0;

  constructor(board: Board, about: About) {
    this.#board = board;
    this.#about = about;
    this.#unlisten = board.listen((touched) => this.#touch(touched));
  }

  get subscribers(): number {
    return this.#subscribers.size;
  }

  /** Sends everything that there is, and from then on what changes, until the returned function is called. */
  subscribe(send: (message: Buffer) => void): () => void {
    if (this.#subscribers.size === 0) this.#refresh(new Set(['all']));
    // What has changed and was not told yet comes to all with the next message.
    send(Buffer.from(this.#live));
    send(
      Buffer.from(messageOf('cells', `{"isWhole":true,"cells":[${[...this.#told.values()].map(({ text }) => text).join(',')}],"gone":[]}`)),
    );
    this.#subscribers.add(send);
    return () => {
      this.#subscribers.delete(send);
      if (this.#subscribers.size === 0) this.#forget();
    };
  }

  /** Tells nobody anything any more. */
  close(): void {
    this.#unlisten();
    this.#subscribers.clear();
    this.#forget();
  }

  #forget(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    this.#touched.clear();
    this.#told.clear();
    this.#standings.clear();
    this.#live = '';
  }

  #touch(touched: Touched): void {
    if (this.#subscribers.size === 0) return;
    this.#touched.add(touched);
    this.#timer ??= setTimeout(() => this.#tell(), Math.max(0, this.#restUntilMs - performance.now()));
  }

  #tell(): void {
    const startedAtMs = performance.now();
    this.#timer = null;
    const touched = new Set(this.#touched);
    this.#touched.clear();
    const before = this.#live;
    const { cells, gone } = this.#refresh(touched);
    if (cells.length + gone.length > 0) {
      this.#send(messageOf('cells', `{"isWhole":false,"cells":[${cells.join(',')}],"gone":${JSON.stringify(gone)}}`));
    }
    if (this.#live !== before) this.#send(this.#live);
    const endedAtMs = performance.now();
    this.#restUntilMs = endedAtMs + Math.max(shortestMs, (endedAtMs - startedAtMs) * restFactor);
  }

  /** The text is made to bytes once for all. */
  #send(message: string): void {
    const bytes = Buffer.from(message);
    for (const send of this.#subscribers) send(bytes);
  }

  /** Brings what was told up to date, and returns what of it is new. */
  #refresh(touched: ReadonlySet<Touched>): { readonly cells: string[]; readonly gone: Schemas['Cells']['gone'] } {
    const { matrix } = this.#board;
    const isAll = touched.has('all');
    const keys = isAll ? keysOn(this.#board) : (touched as ReadonlySet<PublicationKey>);
    const cells: string[] = [];
    for (const key of keys) {
      const cell = matrix && cellOf(key, matrix);
      if (cell) this.#note(cell, cells);
    }
    const left = isAll ? [...this.#told].filter(([key]) => !keys.has(key)) : [];
    for (const [key, { standing }] of left) {
      this.#told.delete(key);
      this.#count(standing, -1);
    }
    this.#live = messageOf('live', JSON.stringify(liveJson(this.#board, Object.fromEntries(this.#standings), this.#about)));
    return { cells, gone: left.map(([, { apiId, environmentId }]) => ({ apiId, environmentId })) };
  }

  #note(cell: Cell, changed: string[]): void {
    const { key, standing, apiId, environmentId } = cell;
    const text = JSON.stringify(cellJson(cell));
    const before = this.#told.get(key);
    if (before?.text === text) return;
    if (before) this.#count(before.standing, -1);
    this.#count(standing, 1);
    this.#told.set(key, { text, standing, apiId, environmentId });
    changed.push(text);
  }

  #count(standing: Standing, by: number): void {
    this.#standings.set(standing, (this.#standings.get(standing) ?? 0) + by);
  }
}

function messageOf(event: 'live' | 'cells', json: string): string {
  return `event: ${event}\ndata: ${json}\n\n`;
}
