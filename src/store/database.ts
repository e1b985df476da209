import type { Query, StoreQueries } from '../../generated/store-queries.d.ts';
import type { Store, StoreReader } from '../model/ports.ts';
import type { SqlRow } from './rows.ts';

/** How a store is opened for writing. */
export interface StoreOptions {
  /** `sqlite:PATH`, relative to the working directory, or `postgres://…`. */
  readonly url: string;
  /** Whether the gateway is an emulated one: its record and a real one's never share a store. */
  readonly isEmulated: boolean;
  /** How long to wait for another edict that has the whole store, in milliseconds; default: not at all. */
  readonly lockTimeoutMs?: number;
  /** Ends the waiting; default: nothing does. */
  readonly signal?: AbortSignal;
  /** Hears, once, whom it waits for. */
  readonly onWait?: (message: string) => void;
}

/** What a store holds the record of: they never mix. */
export type StoreKind = 'real' | 'emulated';

/** The format of the tables, on both engines. edict reads and writes no other. */
export const storeFormat = 1;

export type SqlValue = string | number | null;

/** A query with its values, in its order. */
export interface Statement {
  readonly query: Query<string>;
  readonly values: readonly SqlValue[];
}

/** What an engine does for the store. Every method rejects with an EdictError `STORE_*` if the engine fails. */
export interface Database {
  /** The store's address, without a password. */
  readonly displayUrl: string;
  /** The store's queries in the engine's words. */
  readonly queries: StoreQueries;
  /** Returns the rows that a query finds. */
  read(step: Statement): Promise<readonly SqlRow[]>;
  /** Runs all of `steps` or none, and resolves once that is durable, to what each returned. */
  write(steps: readonly Statement[]): Promise<readonly (readonly SqlRow[])[]>;
  /** Returns who works on a gateway now, by its row id; `null` if nobody does, as far as can be told from here. */
  leaseHolder(gatewayId: number): Promise<string | null>;
  /** Writes what is pending and ends. */
  close(): Promise<void>;
}

/** One transaction that fills an empty store. Until `commit` nobody else sees anything of it; closed or killed before, it leaves the store empty. */
export interface StoreFill extends Pick<Database, 'displayUrl' | 'queries'> {
  run(step: Statement): Promise<readonly SqlRow[]>;
  /** Makes the copy durable and visible to others. */
  commit(): Promise<void>;
  close(): Promise<void>;
}

/** Returns a query with its values. */
export function bindQuery<P extends string>(query: Query<P>, values: Readonly<Record<P, SqlValue>>): Statement {
  return { query, values: query.parameters.map((name) => values[name]) };
}

/** Opens the stores of one engine. */
export interface StoreEngine {
  openReadonly(url: string): Promise<StoreReader>;
  openStore(options: StoreOptions): Promise<Store>;
  openShared(url: string): Promise<Database>;
  openSnapshot(url: string): Promise<Database>;
  openFill(url: string, kind: StoreKind): Promise<StoreFill>;
  toDisplayUrl(url: string): string;
}
