import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type pg from 'pg';
import { EdictError } from '../core/errors.ts';
import type { RecordReader, Store } from '../core/ports.ts';
import { shownAddress } from '../core/store-address.ts';
import { type Database, type Kind, type Step, type StoreFill, type StoreOptions, step, storeFormat } from './database.ts';
import { connect } from './postgres-connection.ts';
import { PostgresDatabase } from './postgres-database.ts';
import { postgresError } from './postgres-error.ts';
import { PostgresLeases } from './postgres-leases.ts';
import { createSchema, formatIn } from './postgres-schema.ts';
import { RecordStore } from './record-store.ts';
import { otherFormat } from './store-error.ts';
import { emptyRecord, StoredRecord } from './stored-record.ts';

/** How long a lease is held after its last renewal, in milliseconds: a dead edict's gateways are taken over soon after. */
const leaseMs = 4000;

/**
 * Opens the store for reading. A database in which edict has never been is an empty store.
 *
 * @throws EdictError `STORE_*` for a store that this edict cannot or must not read
 */
export async function openRecord(url: string): Promise<RecordReader> {
  if (!(await withClient(url, (client) => hasStore(client, url)))) return emptyRecord;
  return new StoredRecord(new PostgresDatabase(url));
}

/**
 * Opens the store for writing, and creates its tables where they are missing. Any number of edicts can have it open: each gateway has a
 * lease of its own.
 *
 * @throws EdictError `STORE_*` for a store that this edict cannot or must not write
 */
export async function openStore({ url, emulated }: StoreOptions): Promise<Store> {
  await createWhereMissing(url);
  const database = new PostgresDatabase(url);
  await checked(database, () => claim((one) => database.write([one]), database, emulated ? 'emulated' : 'real'));
  const holder = `${hostname()}, pid ${process.pid}, ${randomUUID().slice(0, 8)}`;
  return new RecordStore(database, new PostgresLeases(database, { url, holder, leaseMs, clock }));
}

/**
 * Opens the store for what is written without a lease.
 *
 * @throws EdictError `STORE_*` for a store that this edict cannot or must not write, or that is of another format than its own
 */
export async function openBeside(url: string): Promise<Database> {
  await refuseAbsent(url);
  return new PostgresDatabase(url);
}

/** Opens a store that exists so that every read sees it as it is now. Throws an EdictError `STORE_*`. */
export async function openSnapshot(url: string): Promise<Database> {
  await refuseAbsent(url);
  const database = new PostgresDatabase(url);
  await checked(database, () => database.begin(snapshot));
  return database;
}

/** The snapshot is that of the first query, not that of BEGIN. */
const snapshot = ['SET idle_in_transaction_session_timeout = 0', 'BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY', 'SELECT now()'];

/**
 * Opens a store for a copy, and creates its tables where needed; its gateways are of `kind`. Throws an EdictError `STORE_*`, also for a store
 * that another copy is filling.
 */
export async function openFill(url: string, kind: Kind): Promise<StoreFill> {
  await createWhereMissing(url);
  const database = new PostgresDatabase(url);
  const run = (one: Step) => database.read(one);
  await checked(database, async () => {
    await database.begin(fill);
    await claim(run, database, kind);
  });
  const { name, queries } = database;
  return { name, queries, run, commit: async () => void (await run(commit)), close: () => database.close() };
}

/**
 * Whoever adds a gateway or takes a lease waits until the copy has ended, and finds it then. The time between two statements is that of
 * reading the other store.
 */
const fill = [
  "SET idle_in_transaction_session_timeout = '60s'",
  'BEGIN ISOLATION LEVEL READ COMMITTED',
  "SET LOCAL lock_timeout = '5s'",
  'LOCK TABLE edict.gateway IN EXCLUSIVE MODE',
];

const commit: Step = { query: { sql: 'COMMIT', parameters: [] }, values: [] };

/** Returns the address of a store without its password. */
export function nameOf(url: string): string {
  return shownAddress(url);
}

async function createWhereMissing(url: string): Promise<void> {
  await withClient(url, async (client) => {
    if (!(await hasStore(client, url))) await createSchema(client);
  });
}

async function refuseAbsent(url: string): Promise<void> {
  if (await withClient(url, (client) => hasStore(client, url))) return;
  throw new EdictError('STORE_ABSENT', `there is no store in ${shownAddress(url)}`, { hint: 'name it with --state' });
}

/** Closes the database if `check` rejects, and rejects so. */
async function checked(database: PostgresDatabase, check: () => Promise<void>): Promise<void> {
  try {
    await check();
  } catch (error) {
    await database.close();
    throw error;
  }
}

const clock = { monotonic: () => performance.now(), now: () => Date.now() };

/** Returns whether the database has a store. Rejects with an EdictError `STORE_*` for one of another format, and for a schema of somebody else. */
async function hasStore(client: pg.Client, url: string): Promise<boolean> {
  const format = await formatIn(client);
  if (format === null) {
    throw new EdictError('STORE_FOREIGN', `the database ${shownAddress(url)} has a schema "edict" that is not edict's`, {
      hint: 'name another database with --state',
    });
  }
  if (format !== 0 && format !== storeFormat) throw otherFormat(shownAddress(url), format);
  return format !== 0;
}

/** Makes the store one for gateways of `kind`, unless it has been claimed for the other. */
async function claim(write: (one: Step) => Promise<unknown>, database: PostgresDatabase, kind: Kind): Promise<void> {
  const { insertSetting, readSetting } = database.queries;
  await write(step(insertSetting, { name: 'gateways', value: kind }));
  const [row] = await database.read(step(readSetting, { name: 'gateways' }));
  if (row?.['value'] === kind) return;
  throw new EdictError(
    'STORE_KIND',
    `the store ${database.name} holds the record of ${kind === 'emulated' ? 'real gateways' : 'emulated gateways'}`,
    {
      hint:
        kind === 'emulated'
          ? 'leave --state out with --emulate, or name another store'
          : 'this store was written with --emulate; name another one with --state',
    },
  );
}

async function withClient<T>(url: string, use: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = await connect({ url, name: 'edict' });
  try {
    return await use(client);
  } catch (error) {
    throw postgresError(error, shownAddress(url));
  } finally {
    await client.end().catch(() => {});
  }
}
