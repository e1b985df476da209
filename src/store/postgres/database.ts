import { setImmediate as nextTurn } from 'node:timers/promises';
import type pg from 'pg';
import { postgres } from '../../../generated/store-queries.js';
import { type EdictError, StoreUnavailableError } from '../../model/errors.ts';
import { redactUrl } from '../../model/store-url.ts';
import type { Database, Statement } from '../database.ts';
import type { SqlRow } from '../rows.ts';
import { ReconnectingClient } from './connection.ts';
import { toPostgresStoreError } from './errors.ts';

interface PendingWrite {
  readonly statements: readonly Statement[];
  readonly resolve: (returned: readonly (readonly SqlRow[])[]) => void;
  readonly reject: (error: unknown) => void;
}

/** Writes that stand or fall together. */
interface Transaction {
  readonly precondition: Statement | null;
  readonly writes: PendingWrite[];
}

/**
 * A PostgreSQL database over one connection, which is opened anew when it was lost, unless all must happen over one. A write is durable
 * when its promise resolves; writes of one turn of the event loop share one transaction, and all of it is sent at once.
 */
export class PostgresDatabase implements Database {
  readonly queries = postgres;
  readonly displayUrl: string;
  readonly #connection: ReconnectingClient;
  #isClosed = false;
  /** Whether a transaction was opened, which ends with the connection. */
  #isPinned = false;
  readonly #pending = new Map<string, Transaction>();
  readonly #inFlight = new Set<Promise<void>>();
  #statementNames = new Map<Statement['query'], string>();
  #statementCount = 0;

  constructor(url: string) {
    this.#connection = new ReconnectingClient({ url, applicationName: 'edict' });
    this.displayUrl = redactUrl(url);
  }

  async read(step: Statement): Promise<readonly SqlRow[]> {
    const isFirst = this.#connection.current === null;
    const connected = this.#connect();
    try {
      return await this.#query(await connected, step);
    } catch (error) {
      // A connection that died while nobody used it is no reason to fail; a new one that fails is.
      if (!this.#isUnknownStatement(error) && (isFirst || this.#connection.current === connected))
        throw toPostgresStoreError(error, this.displayUrl);
    }
    try {
      return await this.#query(await this.#connect(), step);
    } catch (error) {
      throw toPostgresStoreError(error, this.displayUrl);
    }
  }

  write(steps: readonly Statement[]): Promise<readonly (readonly SqlRow[])[]> {
    return this.writeIf(null, steps);
  }

  /** Like `write`, but nothing is written if `guard` fails. */
  writeIf(precondition: Statement | null, statements: readonly Statement[]): Promise<readonly (readonly SqlRow[])[]> {
    const name = precondition ? JSON.stringify(precondition.values) : '';
    if (this.#pending.size === 0) setImmediate(() => this.#flush());
    return new Promise((resolve, reject) => {
      const batch = this.#pending.get(name) ?? { precondition, writes: [] };
      batch.writes.push({ statements, resolve, reject });
      this.#pending.set(name, batch);
    });
  }

  /** Resolves when what is being written, or is about to be in this turn, has been. */
  async drain(): Promise<void> {
    await nextTurn();
    this.#flush();
    await Promise.all(this.#inFlight);
  }

  /** Runs statements that open a transaction for every read from now on; when the connection is lost, each fails. */
  async begin(statements: readonly string[]): Promise<void> {
    await this.#connect();
    this.#isPinned = true;
    for (const sql of statements) await this.read({ query: { sql, parameters: [] }, values: [] });
  }

  async leaseHolder(gatewayId: number): Promise<string | null> {
    const [row] = await this.read({ query: readLeaseHolder, values: [gatewayId] });
    return row ? String(row['holder']) : null;
  }

  async close(): Promise<void> {
    await this.drain();
    this.#isClosed = true;
    await this.#connection.close();
  }

  #flush(): void {
    const batches = [...this.#pending.values()];
    this.#pending.clear();
    for (const batch of batches) {
      const writing = this.#commit(batch).finally(() => this.#inFlight.delete(writing));
      this.#inFlight.add(writing);
    }
  }

  async #commit(batch: Transaction, isAgain = false): Promise<void> {
    const { precondition, writes } = batch;
    try {
      const client = await this.#connect();
      const steps = writes.flatMap((write) => write.statements);
      // All is sent before the first answer: after an error the server refuses the rest of the transaction by itself.
      const answers = await Promise.allSettled([
        // A guard that waits for a lock must see what was written meanwhile, whatever the database is set to.
        client.query('BEGIN ISOLATION LEVEL READ COMMITTED'),
        ...(precondition ? [this.#query(client, precondition)] : []),
        ...steps.map((step) => this.#query(client, step)),
        client.query('COMMIT'),
      ]);
      const failed = answers.find((answer) => answer.status === 'rejected');
      if (failed) throw failed.reason;
      const rows = answers
        .slice(precondition ? 2 : 1, -1)
        .map((answer) => (answer.status === 'fulfilled' ? (answer.value as readonly SqlRow[]) : []));
      for (const write of writes) write.resolve(rows.splice(0, write.statements.length));
    } catch (error) {
      if (this.#isUnknownStatement(error) && !isAgain) return this.#commit(batch, true);
      const explained = toPostgresStoreError(error, this.displayUrl);
      for (const write of writes) write.reject(explained);
    }
  }

  async #query(client: pg.Client, { query, values }: Statement): Promise<readonly SqlRow[]> {
    // PostgreSQL has no text with a NUL.
    const sent = values.map((value) => (typeof value === 'string' ? value.replaceAll('\0', '\uFFFD') : value));
    const { rows } = await client.query<SqlRow>({ name: this.#statementName(query), text: query.sql, values: sent });
    return rows;
  }

  /**
   * Returns whether a statement was unknown to the server: what was to be prepared in a transaction that failed was not, and what came
   * behind it counted on it. It is prepared anew.
   */
  #isUnknownStatement(error: unknown): boolean {
    this.#statementNames = new Map();
    return (error as { readonly code?: unknown }).code === unknownStatementState;
  }

  /** The server plans what has a name once for each connection. */
  #statementName(query: Statement['query']): string {
    let name = this.#statementNames.get(query);
    if (name === undefined) {
      this.#statementCount += 1;
      name = `edict-${this.#statementCount}`;
      this.#statementNames.set(query, name);
    }
    return name;
  }

  /** Returns the connection; a new one where the last one was lost. */
  #connect(): Promise<pg.Client> {
    if (this.#isClosed) return Promise.reject(new Error('the store was closed'));
    if (this.#isPinned && this.#connection.current === null) return Promise.reject(this.#toConnectionLostError());
    return this.#connection.open();
  }

  /** A new connection would not see the same snapshot, and would not hold the same locks. */
  #toConnectionLostError(): EdictError {
    return new StoreUnavailableError(`the connection to the store ${this.displayUrl} was lost in the middle of it`, {
      hint: 'run the same `edict state` command again',
    });
  }
}

/** SQLSTATE of a prepared statement that the server does not know. */
const unknownStatementState = '26000';

const readLeaseHolder = {
  sql: 'SELECT holder FROM edict.gateway WHERE id = $1 AND held_until >= clock_timestamp()',
  parameters: ['gateway'],
} as const;
