import type { Query, StoreQueries } from '../../generated/store-queries.d.ts';
import type { Row } from './rows.ts';

/** How a store is opened for writing. */
export interface StoreOptions {
  /** `sqlite:PATH`, relative to the working directory, or `postgres://…`. */
  readonly url: string;
  /** Whether the gateway is an emulated one: its record and a real one's never share a store. */
  readonly emulated: boolean;
  /** How long to wait for another edict that has the whole store, in milliseconds; default: not at all. */
  readonly waitMs?: number;
  /** Ends the waiting; default: nothing does. */
  readonly signal?: AbortSignal;
  /** Hears, once, whom it waits for. */
  readonly onWait?: (message: string) => void;
}

/** What a store holds the record of: they never mix. */
export type Kind = 'real' | 'emulated';

/** The format of the tables, on both engines. edict reads and writes no other. */
export const storeFormat = 1;

export type Value = string | number | null;

/** A query with its values, in its order. */
export interface Step {
  readonly query: Query<string>;
  readonly values: readonly Value[];
}

/** What an engine does for the store. Every method rejects with an EdictError `STORE_*` if the engine fails. */
export interface Database {
  /** The store's address, without a password. */
  readonly name: string;
  /** The store's queries in the engine's words. */
  readonly queries: StoreQueries;
  /** Returns the rows that a query finds. */
  read(step: Step): Promise<readonly Row[]>;
  /** Runs all of `steps` or none, and resolves once that is durable, to what each returned. */
  write(steps: readonly Step[]): Promise<readonly (readonly Row[])[]>;
  /** Returns who works on a gateway now, by its row id; `null` if nobody does, as far as can be told from here. */
  holder(gatewayId: number): Promise<string | null>;
  /** Writes what is pending and ends. */
  close(): Promise<void>;
}

/** One transaction that fills an empty store. Until `commit` nobody else sees anything of it; closed or killed before, it leaves the store empty. */
export interface StoreFill extends Pick<Database, 'name' | 'queries'> {
  run(step: Step): Promise<readonly Row[]>;
  /** Makes the copy durable and visible to others. */
  commit(): Promise<void>;
  close(): Promise<void>;
}

/** Returns a query with its values. */
export function step<P extends string>(query: Query<P>, values: Readonly<Record<P, Value>>): Step {
  return { query, values: query.parameters.map((name) => values[name]) };
}
