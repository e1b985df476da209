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

/** Writes that are committed in one transaction. */
interface Transaction {
  readonly precondition: Statement | null;
  readonly writes: PendingWrite[];
}

/**
 * A PostgreSQL database over one connection, which is reopened after a loss, except inside a transaction opened with `begin`. A write is
 * durable when its promise resolves. Writes of one event loop turn share one transaction, which is pipelined as a whole.
 */
export class PostgresDatabase implements Database {
  readonly queries = postgres;
  readonly displayUrl: string;
  readonly #connection: ReconnectingClient;
  #isClosed = false;
  /** Whether `begin` opened a transaction, which is lost with the connection. */
  #isPinned = false;
  readonly #pending = new Map<string, Transaction>();
  readonly #inFlight = new Set<Promise<void>>();
  #statementNames = new Map<Statement['query'], string>();
  #statementCount = 0;

  /** `queryLimitMs`: how long the server may work on one statement, in milliseconds; default: the server's own limit. */
  constructor(url: string, queryLimitMs?: number) {
    const limit = (client: pg.Client) => client.query(`SET statement_timeout = ${Number(queryLimitMs)}`);
    const onConnected = async (client: pg.Client): Promise<void> => void (queryLimitMs && (await limit(client)));
    this.#connection = new ReconnectingClient({ url, applicationName: 'edict', onConnected });
    this.displayUrl = redactUrl(url);
  }

  async read(statement: Statement): Promise<readonly SqlRow[]> {
    const isFirst = this.#connection.current === null;
    const connected = this.#connect();
    try {
      return await this.#query(await connected, statement);
    } catch (error) {
      // Retry once if an idle connection had died; a failure of a new connection is final.
      if (!this.#isUnknownStatement(error) && (isFirst || this.#connection.current === connected))
        throw toPostgresStoreError(error, this.displayUrl);
    }
    try {
      return await this.#query(await this.#connect(), statement);
    } catch (error) {
      throw toPostgresStoreError(error, this.displayUrl);
    }
  }

  write(statements: readonly Statement[]): Promise<readonly (readonly SqlRow[])[]> {
    return this.writeIf(null, statements);
  }

  /** Like `write`, but writes nothing if `precondition` fails. */
  writeIf(precondition: Statement | null, statements: readonly Statement[]): Promise<readonly (readonly SqlRow[])[]> {
    const name = precondition ? JSON.stringify(precondition.values) : '';
    if (this.#pending.size === 0) setImmediate(() => this.#flush());
    return new Promise((resolve, reject) => {
      const batch = this.#pending.get(name) ?? { precondition, writes: [] };
      batch.writes.push({ statements, resolve, reject });
      this.#pending.set(name, batch);
    });
  }

  /** Resolves when all writes in flight and those queued in this turn have finished. */
  async drain(): Promise<void> {
    await nextTurn();
    this.#flush();
    await Promise.all(this.#inFlight);
  }

  /** Opens a transaction for all later reads. They fail if the connection is lost. */
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

  async #commit(batch: Transaction, isRetry = false): Promise<void> {
    const { precondition, writes } = batch;
    try {
      const client = await this.#connect();
      const statements = writes.flatMap((write) => write.statements);
      // Send everything before the first result: after an error the server rejects the rest of the transaction.
      const results = await Promise.allSettled([
        // A precondition that waits for a lock must see rows committed meanwhile, whatever the database's default isolation is.
        client.query('BEGIN ISOLATION LEVEL READ COMMITTED'),
        ...(precondition ? [this.#query(client, precondition)] : []),
        ...statements.map((statement) => this.#query(client, statement)),
        client.query('COMMIT'),
      ]);
      const failed = results.find((result) => result.status === 'rejected');
      if (failed) throw failed.reason;
      const rows = results
        .slice(precondition ? 2 : 1, -1)
        .map((result) => (result.status === 'fulfilled' ? (result.value as readonly SqlRow[]) : []));
      for (const write of writes) write.resolve(rows.splice(0, write.statements.length));
    } catch (error) {
      if (this.#isUnknownStatement(error) && !isRetry) return this.#commit(batch, true);
      const storeError = toPostgresStoreError(error, this.displayUrl);
      for (const write of writes) write.reject(storeError);
    }
  }

  async #query(client: pg.Client, { query, values }: Statement): Promise<readonly SqlRow[]> {
    // PostgreSQL text cannot contain NUL.
    const sent = values.map((value) => (typeof value === 'string' ? value.replaceAll('\0', '\uFFFD') : value));
    const { rows } = await client.query<SqlRow>({ name: this.#statementName(query), text: query.sql, values: sent });
    return rows;
  }

  /**
   * Returns whether the server does not know a prepared statement, and forgets all statement names so that they are prepared again. A
   * statement in a failed transaction is never prepared, although later statements rely on its name.
   */
  #isUnknownStatement(error: unknown): boolean {
    this.#statementNames = new Map();
    return (error as { readonly code?: unknown }).code === unknownStatementState;
  }

  /** Names a statement, so that the server plans it once per connection. */
  #statementName(query: Statement['query']): string {
    let name = this.#statementNames.get(query);
    if (name === undefined) {
      this.#statementCount += 1;
      name = `edict-${this.#statementCount}`;
      this.#statementNames.set(query, name);
    }
    return name;
  }

  /** Returns the connection, and reopens it after a loss. */
  #connect(): Promise<pg.Client> {
    if (this.#isClosed) return Promise.reject(new Error('the store was closed'));
    if (this.#isPinned && this.#connection.current === null) return Promise.reject(this.#toConnectionLostError());
    return this.#connection.open();
  }

  /** A new connection would have neither the snapshot nor the locks of the lost one. */
  #toConnectionLostError(): EdictError {
    return new StoreUnavailableError(`the connection to the store ${this.displayUrl} was lost in the middle of it`, {
      hint: 'run the same command again',
    });
  }
}

/** SQLSTATE of a prepared statement that the server does not know. */
const unknownStatementState = '26000';

const readLeaseHolder = {
  sql: 'SELECT holder FROM edict.gateway WHERE id = $1 AND held_until >= clock_timestamp()',
  parameters: ['gateway'],
} as const;
