import { setImmediate as nextTurn } from 'node:timers/promises';
import type pg from 'pg';
import { postgres } from '../../generated/store-queries.js';
import { EdictError } from '../core/errors.ts';
import { shownAddress } from '../core/store-address.ts';
import type { Database, Step } from './database.ts';
import { KeptConnection } from './kept-connection.ts';
import { postgresError } from './postgres-error.ts';
import type { Row } from './rows.ts';

interface Write {
  readonly steps: readonly Step[];
  readonly done: (returned: readonly (readonly Row[])[]) => void;
  readonly failed: (error: unknown) => void;
}

/** Writes that stand or fall together. */
interface Batch {
  readonly guard: Step | null;
  readonly writes: Write[];
}

/**
 * A PostgreSQL database over one connection, which is opened anew when it was lost, unless all must happen over one. A write is durable
 * when its promise resolves; writes of one turn of the event loop share one transaction, and all of it is sent at once.
 */
export class PostgresDatabase implements Database {
  readonly queries = postgres;
  readonly name: string;
  readonly #connection: KeptConnection;
  #isClosed = false;
  /** Whether a transaction was opened, which ends with the connection. */
  #isBound = false;
  readonly #pending = new Map<string, Batch>();
  readonly #writing = new Set<Promise<void>>();
  #names = new Map<Step['query'], string>();
  #namesGiven = 0;

  constructor(url: string) {
    this.#connection = new KeptConnection({ url, name: 'edict' });
    this.name = shownAddress(url);
  }

  async read(step: Step): Promise<readonly Row[]> {
    const isFirst = this.#connection.present === null;
    const connected = this.#connected();
    try {
      return await this.#query(await connected, step);
    } catch (error) {
      // A connection that died while nobody used it is no reason to fail; a new one that fails is.
      if (!this.#wasForgotten(error) && (isFirst || this.#connection.present === connected)) throw postgresError(error, this.name);
    }
    try {
      return await this.#query(await this.#connected(), step);
    } catch (error) {
      throw postgresError(error, this.name);
    }
  }

  write(steps: readonly Step[]): Promise<readonly (readonly Row[])[]> {
    return this.writeIf(null, steps);
  }

  /** Like `write`, but nothing is written if `guard` fails. */
  writeIf(guard: Step | null, steps: readonly Step[]): Promise<readonly (readonly Row[])[]> {
    const name = guard ? JSON.stringify(guard.values) : '';
    if (this.#pending.size === 0) setImmediate(() => this.#flush());
    return new Promise((done, failed) => {
      const batch = this.#pending.get(name) ?? { guard, writes: [] };
      batch.writes.push({ steps, done, failed });
      this.#pending.set(name, batch);
    });
  }

  /** Resolves when what is being written, or is about to be in this turn, has been. */
  async drained(): Promise<void> {
    await nextTurn();
    this.#flush();
    await Promise.all(this.#writing);
  }

  /** Runs statements that open a transaction for every read from now on; when the connection is lost, each fails. */
  async begin(statements: readonly string[]): Promise<void> {
    await this.#connected();
    this.#isBound = true;
    for (const sql of statements) await this.read({ query: { sql, parameters: [] }, values: [] });
  }

  async holder(gatewayId: number): Promise<string | null> {
    const [row] = await this.read({ query: holderNow, values: [gatewayId] });
    return row ? String(row['holder']) : null;
  }

  async close(): Promise<void> {
    await this.drained();
    this.#isClosed = true;
    await this.#connection.close();
  }

  #flush(): void {
    const batches = [...this.#pending.values()];
    this.#pending.clear();
    for (const batch of batches) {
      const writing = this.#commit(batch).finally(() => this.#writing.delete(writing));
      this.#writing.add(writing);
    }
  }

  async #commit(batch: Batch, isAgain = false): Promise<void> {
    const { guard, writes } = batch;
    try {
      const client = await this.#connected();
      const steps = writes.flatMap((write) => write.steps);
      // All is sent before the first answer: after an error the server refuses the rest of the transaction by itself.
      const answers = await Promise.allSettled([
        // A guard that waits for a lock must see what was written meanwhile, whatever the database is set to.
        client.query('BEGIN ISOLATION LEVEL READ COMMITTED'),
        ...(guard ? [this.#query(client, guard)] : []),
        ...steps.map((step) => this.#query(client, step)),
        client.query('COMMIT'),
      ]);
      const failed = answers.find((answer) => answer.status === 'rejected');
      if (failed) throw failed.reason;
      const rows = answers
        .slice(guard ? 2 : 1, -1)
        .map((answer) => (answer.status === 'fulfilled' ? (answer.value as readonly Row[]) : []));
      for (const write of writes) write.done(rows.splice(0, write.steps.length));
    } catch (error) {
      if (this.#wasForgotten(error) && !isAgain) return this.#commit(batch, true);
      const explained = postgresError(error, this.name);
      for (const write of writes) write.failed(explained);
    }
  }

  async #query(client: pg.Client, { query, values }: Step): Promise<readonly Row[]> {
    // PostgreSQL has no text with a NUL.
    const sent = values.map((value) => (typeof value === 'string' ? value.replaceAll('\0', '\uFFFD') : value));
    const { rows } = await client.query<Row>({ name: this.#nameOf(query), text: query.sql, values: sent });
    return rows;
  }

  /**
   * Returns whether a statement was unknown to the server: what was to be prepared in a transaction that failed was not, and what came
   * behind it counted on it. It is prepared anew.
   */
  #wasForgotten(error: unknown): boolean {
    this.#names = new Map();
    return (error as { readonly code?: unknown }).code === unknownStatement;
  }

  /** The server plans what has a name once for each connection. */
  #nameOf(query: Step['query']): string {
    let name = this.#names.get(query);
    if (name === undefined) {
      this.#namesGiven += 1;
      name = `edict-${this.#namesGiven}`;
      this.#names.set(query, name);
    }
    return name;
  }

  /** Returns the connection; a new one where the last one was lost. */
  #connected(): Promise<pg.Client> {
    if (this.#isClosed) return Promise.reject(new Error('the store was closed'));
    if (this.#isBound && this.#connection.present === null) return Promise.reject(this.#cutOff());
    return this.#connection.open();
  }

  /** A new connection would not see the same snapshot, and would not hold the same locks. */
  #cutOff(): EdictError {
    return new EdictError('STORE_UNREACHABLE', `the connection to the store ${this.name} was lost in the middle of it`, {
      hint: 'run the same `edict state` command again',
    });
  }
}

/** SQLSTATE of a prepared statement that the server does not know. */
const unknownStatement = '26000';

const holderNow = {
  sql: 'SELECT holder FROM edict.gateway WHERE id = $1 AND held_until >= clock_timestamp()',
  parameters: ['gateway'],
} as const;
