import type { Query, StoreQueries } from '../../generated/store-queries.d.ts';
import type { Store, StoreReader } from './interface.ts';
import type { SqlRow } from './rows.ts';

/** Options for opening a store for writing. */
export interface StoreOptions {
  /** `sqlite:PATH`, relative to the working directory, or `postgres://…`. */
  readonly url: string;
  /** Whether the gateway is emulated. Emulated and real gateways never share a store. */
  readonly isEmulated: boolean;
  /** How long to wait for a process that has locked the whole store, in milliseconds; default: 0. */
  readonly lockTimeoutMs?: number;
  /** Aborts the wait; optional. */
  readonly signal?: AbortSignal;
  /** Called once a store is open whose server is not verified, with the `sslmode` that says so. */
  readonly onUnverified?: (sslmode: string) => void;
  /** Called once, with a message that names the lock holder, when the wait begins. */
  readonly onWait?: (message: string) => void;
}

/** Options for opening a store for reading. */
export interface ReadOptions extends Pick<StoreOptions, 'url'> {
  /** How long the server may work on one query, in milliseconds; default: until the query times out here. SQLite has no such limit. */
  readonly queryLimitMs?: number;
}

/** The kind of gateways in a store. One store never holds both. */
export type StoreKind = 'real' | 'emulated';

/** The version of the tables in both engines. edict reads and writes no other version. */
export const storeFormat = 1;

export type SqlValue = string | number | null;

/** A query with its values, in the order of its parameters. */
export interface Statement {
  readonly query: Query<string>;
  readonly values: readonly SqlValue[];
}

/** The database behind a store. Every method rejects with an EdictError `STORE_*` if the engine fails. */
export interface Database {
  /** The store URL without a password. */
  readonly displayUrl: string;
  /** The store's queries in the engine's SQL dialect. */
  readonly queries: StoreQueries;
  /** Runs a query and returns its rows. */
  read(statement: Statement): Promise<readonly SqlRow[]>;
  /** Runs all `statements` in one transaction. Resolves to the rows of each once the transaction is durable. */
  write(statements: readonly Statement[]): Promise<readonly (readonly SqlRow[])[]>;
  /** Returns the current lease holder of the gateway with this row ID; `null` if no holder is known. */
  leaseHolder(gatewayId: number): Promise<string | null>;
  /** Flushes pending writes and closes the database. */
  close(): Promise<void>;
}

/**
 * One transaction that fills an empty store. Nothing is visible to other processes before `commit`. If it is closed or killed earlier, the
 * store stays empty.
 */
export interface StoreFill extends Pick<Database, 'displayUrl' | 'queries'> {
  run(statement: Statement): Promise<readonly SqlRow[]>;
  /** Makes the copy durable and visible to other processes. */
  commit(): Promise<void>;
  close(): Promise<void>;
}

/** Binds named values to the parameters of a query. */
export function bindQuery<P extends string>(query: Query<P>, values: Readonly<Record<P, SqlValue>>): Statement {
  return { query, values: query.parameters.map((name) => values[name]) };
}

/** Opens stores in SQLite or in PostgreSQL. */
export interface StoreEngine {
  openReadonly(options: ReadOptions): Promise<StoreReader>;
  openStore(options: StoreOptions): Promise<Store>;
  openShared(url: string): Promise<Database>;
  openSnapshot(url: string): Promise<Database>;
  openFill(url: string, kind: StoreKind): Promise<StoreFill>;
  toDisplayUrl(url: string): string;
}
