import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Query } from '../../../generated/store-queries.d.ts';
import { sqlite } from '../../../generated/store-queries.js';
import { bindQuery, type Database, type Statement } from '../database.ts';
import { type SqlRow, toControllerStatus } from '../rows.ts';
import { mapSqliteError } from './errors.ts';
import type { StoreFiles } from './store-files.ts';

interface PreparedQuery {
  readonly statement: StatementSync;
  readonly returnsRows: boolean;
}

interface PendingWrite {
  readonly statements: readonly Statement[];
  readonly resolve: (returned: readonly (readonly SqlRow[])[]) => void;
  readonly reject: (error: unknown) => void;
}

export interface SqliteDatabaseOptions {
  readonly files?: StoreFiles | null;
  readonly onClosed?: () => void;
}

const noRows: readonly SqlRow[] = [];

/** How long reads may take turns without the event loop's other work, in milliseconds. */
const maxTurnMs = 20;

/**
 * A SQLite file with a write-ahead log. A write is on the disk when its promise resolves. Writes of one event loop turn share one
 * transaction, and thereby one sync.
 */
export class SqliteDatabase implements Database {
  readonly queries = sqlite;
  readonly displayUrl: string;
  readonly #db: DatabaseSync;
  readonly #path: string;
  readonly #files: StoreFiles | null;
  readonly #onClosed: () => void;
  readonly #prepared = new Map<Query<string>, PreparedQuery>();
  #pending: PendingWrite[] = [];
  /** When the first read of this event loop turn began, by `performance.now()`; `null` before it. */
  #turnStartedAtMs: number | null = null;

  /** `path` appears in messages and in the URL; `files` are checked before each read and commit; `onClosed` releases the file lock. */
  constructor(db: DatabaseSync, path: string, { files = null, onClosed = () => {} }: SqliteDatabaseOptions = {}) {
    this.#db = db;
    this.#path = path;
    this.displayUrl = `sqlite:${path}`;
    this.#files = files;
    this.#onClosed = onClosed;
  }

  async read(statement: Statement): Promise<readonly SqlRow[]> {
    // SQLite answers at once, so that the reads of a thousand files that are planned together would keep the event loop from health checks.
    while (this.#isTurnOver()) await nextTurn();
    return mapSqliteError(this.#path, () => {
      this.#files?.assertUnchanged();
      return this.#run(statement);
    });
  }

  write(statements: readonly Statement[]): Promise<readonly (readonly SqlRow[])[]> {
    if (this.#pending.length === 0) setImmediate(() => this.#flush());
    return new Promise((resolve, reject) => {
      this.#pending.push({ statements, resolve, reject });
    });
  }

  /**
   * Returns the process that last wrote its status, if it still runs on this host. A killed process leaves its status behind, and a process in
   * another container is not visible.
   */
  async leaseHolder(gatewayId: number): Promise<string | null> {
    const [row] = await this.read(bindQuery(this.queries.readGateway, { gateway: gatewayId }));
    const status = toControllerStatus(row);
    return status && isProcessAlive(status.pid) ? `pid ${status.pid}` : null;
  }

  /** Flushes pending writes and checkpoints the write-ahead log. */
  async close(): Promise<void> {
    this.#flush();
    try {
      this.#db.close();
    } finally {
      this.#files?.close();
      this.#onClosed();
    }
  }

  #isTurnOver(): boolean {
    if (this.#turnStartedAtMs !== null) return performance.now() - this.#turnStartedAtMs > maxTurnMs;
    this.#turnStartedAtMs = performance.now();
    setImmediate(() => {
      this.#turnStartedAtMs = null;
    });
    return false;
  }

  #flush(): void {
    const writes = this.#pending;
    if (writes.length === 0) return;
    this.#pending = [];
    try {
      const returned = mapSqliteError(this.#path, () => this.#runInTransaction(writes));
      for (const [index, write] of writes.entries()) write.resolve(returned[index] ?? []);
    } catch (error) {
      for (const write of writes) write.reject(error);
    }
  }

  #runInTransaction(writes: readonly PendingWrite[]): (readonly SqlRow[])[][] {
    this.#files?.assertUnchanged();
    this.#db.exec('BEGIN IMMEDIATE');
    try {
      const returned = writes.map(({ statements }) => statements.map((statement) => this.#run(statement)));
      // Again, as the transaction may have waited for another one: a call must not leave for a record in a deleted file.
      this.#files?.assertUnchanged();
      this.#db.exec('COMMIT');
      return returned;
    } catch (error) {
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK');
      throw error;
    }
  }

  #run({ query, values }: Statement): readonly SqlRow[] {
    let prepared = this.#prepared.get(query);
    if (!prepared) {
      prepared = { statement: this.#db.prepare(query.sql), returnsRows: /^select\b|\breturning\b/.test(query.sql) };
      this.#prepared.set(query, prepared);
    }
    const { statement, returnsRows } = prepared;
    if (returnsRows) return statement.all(...values);
    statement.run(...values);
    return noRows;
  }
}

/** Returns whether a process with this ID runs on this host. Signal 0 only checks for existence. */
export function isProcessAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
