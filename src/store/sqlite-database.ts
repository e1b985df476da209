import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Query } from '../../generated/store-queries.d.ts';
import { sqlite } from '../../generated/store-queries.js';
import { type Database, type Step, step } from './database.ts';
import { isProcess } from './is-process.ts';
import { type Row, toCondition } from './rows.ts';
import { explained } from './store-error.ts';

interface Prepared {
  readonly statement: StatementSync;
  readonly returns: boolean;
}

interface Write {
  readonly steps: readonly Step[];
  readonly done: (returned: readonly (readonly Row[])[]) => void;
  readonly failed: (error: unknown) => void;
}

const nothing: readonly Row[] = [];

/**
 * A SQLite file with a write-ahead log. A write is on the disk when its promise resolves; writes of one turn of the event loop
 * share one transaction and so one wait for the disk.
 */
export class SqliteDatabase implements Database {
  readonly queries = sqlite;
  readonly name: string;
  readonly #db: DatabaseSync;
  readonly #path: string;
  readonly #onClosed: () => void;
  readonly #prepared = new Map<Query<string>, Prepared>();
  #pending: Write[] = [];

  /** `path` is for messages and the name; `onClosed` gives back what the file was opened with. */
  constructor(db: DatabaseSync, path: string, onClosed: () => void = () => {}) {
    this.#db = db;
    this.#path = path;
    this.name = `sqlite:${path}`;
    this.#onClosed = onClosed;
  }

  async read(step: Step): Promise<readonly Row[]> {
    return explained(this.#path, () => this.#run(step));
  }

  write(steps: readonly Step[]): Promise<readonly (readonly Row[])[]> {
    if (this.#pending.length === 0) setImmediate(() => this.#flush());
    return new Promise((done, failed) => {
      this.#pending.push({ steps, done, failed });
    });
  }

  /** The one that wrote last how it is getting on, if it is there: one that was killed leaves its last word, and one in another container cannot be seen. */
  async holder(gatewayId: number): Promise<string | null> {
    const [row] = await this.read(step(this.queries.readGateway, { gateway: gatewayId }));
    const condition = toCondition(row);
    return condition && isProcess(condition.pid) ? `pid ${condition.pid}` : null;
  }

  /** Also empties the write-ahead log. */
  async close(): Promise<void> {
    this.#flush();
    try {
      this.#db.close();
    } finally {
      this.#onClosed();
    }
  }

  #flush(): void {
    const writes = this.#pending;
    if (writes.length === 0) return;
    this.#pending = [];
    try {
      const returned = explained(this.#path, () => this.#inTransaction(writes));
      for (const [index, write] of writes.entries()) write.done(returned[index] ?? []);
    } catch (error) {
      for (const write of writes) write.failed(error);
    }
  }

  #inTransaction(writes: readonly Write[]): (readonly Row[])[][] {
    this.#db.exec('BEGIN IMMEDIATE');
    try {
      const returned = writes.map(({ steps }) => steps.map((step) => this.#run(step)));
      this.#db.exec('COMMIT');
      return returned;
    } catch (error) {
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK');
      throw error;
    }
  }

  #run({ query, values }: Step): readonly Row[] {
    let prepared = this.#prepared.get(query);
    if (!prepared) {
      prepared = { statement: this.#db.prepare(query.sql), returns: /^select\b|\breturning\b/.test(query.sql) };
      this.#prepared.set(query, prepared);
    }
    const { statement, returns } = prepared;
    if (returns) return statement.all(...values);
    statement.run(...values);
    return nothing;
  }
}
