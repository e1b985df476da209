import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type pg from 'pg';
import { StoreError } from '../../model/errors.ts';
import type { Store, StoreReader } from '../../model/ports.ts';
import { redactUrl } from '../../model/store-url.ts';
import {
  bindQuery,
  type Database,
  type Statement,
  type StoreEngine,
  type StoreFill,
  type StoreKind,
  type StoreOptions,
  storeFormat,
} from '../database.ts';
import { emptyStore, ReadonlyStore } from '../readonly-store.ts';
import { RecordStore } from '../record-store.ts';
import { otherFormat } from '../sqlite/errors.ts';
import { connect } from './connection.ts';
import { PostgresDatabase } from './database.ts';
import { toPostgresStoreError } from './errors.ts';
import { PostgresLeases } from './leases.ts';
import { createPostgresSchema, readPostgresFormat } from './schema.ts';

/** How long a lease is held after its last renewal, in milliseconds: a dead edict's gateways are taken over soon after. */
const leaseDurationMs = 4000;

/**
 * Opens the store for reading. A database in which edict has never been is an empty store.
 *
 * @throws EdictError `STORE_*` for a store that this edict cannot or must not read
 */
async function openReadonly(url: string): Promise<StoreReader> {
  if (!(await withClient(url, (client) => hasStore(client, url)))) return emptyStore;
  return new ReadonlyStore(new PostgresDatabase(url));
}

/**
 * Opens the store for writing, and creates its tables where they are missing. Any number of edicts can have it open: each gateway has a
 * lease of its own.
 *
 * @throws EdictError `STORE_*` for a store that this edict cannot or must not write
 */
async function openStore({ url, isEmulated }: StoreOptions): Promise<Store> {
  await createWhereMissing(url);
  const database = new PostgresDatabase(url);
  await closeOnError(database, () => ensureStoreKind((one) => database.write([one]), database, isEmulated ? 'emulated' : 'real'));
  const holder = `${hostname()}, pid ${process.pid}, ${randomUUID().slice(0, 8)}`;
  return new RecordStore(database, new PostgresLeases(database, { url, holder, leaseDurationMs, clock }));
}

/**
 * Opens the store for what is written without a lease.
 *
 * @throws EdictError `STORE_*` for a store that this edict cannot or must not write, or that is of another format than its own
 */
async function openShared(url: string): Promise<Database> {
  await refuseAbsent(url);
  return new PostgresDatabase(url);
}

/** Opens a store that exists so that every read sees it as it is now. Throws an EdictError `STORE_*`. */
async function openSnapshot(url: string): Promise<Database> {
  await refuseAbsent(url);
  const database = new PostgresDatabase(url);
  await closeOnError(database, () => database.begin(snapshot));
  return database;
}

/** The snapshot is that of the first query, not that of BEGIN. */
const snapshot = ['SET idle_in_transaction_session_timeout = 0', 'BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY', 'SELECT now()'];

/**
 * Opens a store for a copy, and creates its tables where needed; its gateways are of `kind`. Throws an EdictError `STORE_*`, also for a store
 * that another copy is filling.
 */
async function openFill(url: string, kind: StoreKind): Promise<StoreFill> {
  await createWhereMissing(url);
  const database = new PostgresDatabase(url);
  const run = (one: Statement) => database.read(one);
  await closeOnError(database, async () => {
    await database.begin(fill);
    await ensureStoreKind(run, database, kind);
  });
  const { displayUrl, queries } = database;
  return { displayUrl, queries, run, commit: async () => void (await run(commit)), close: () => database.close() };
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

const commit: Statement = { query: { sql: 'COMMIT', parameters: [] }, values: [] };

/** Returns the address of a store without its password. */
function toDisplayUrl(url: string): string {
  return redactUrl(url);
}

async function createWhereMissing(url: string): Promise<void> {
  await withClient(url, async (client) => {
    if (!(await hasStore(client, url))) await createPostgresSchema(client);
  });
}

async function refuseAbsent(url: string): Promise<void> {
  if (await withClient(url, (client) => hasStore(client, url))) return;
  throw new StoreError('STORE_NOT_FOUND', `there is no store in ${redactUrl(url)}`, { hint: 'name it with --state' });
}

/** Closes the database if `check` rejects, and rejects so. */
async function closeOnError(database: PostgresDatabase, check: () => Promise<void>): Promise<void> {
  try {
    await check();
  } catch (error) {
    await database.close();
    throw error;
  }
}

const clock = { monotonicMs: () => performance.now(), now: () => Date.now() };

/** Returns whether the database has a store. Rejects with an EdictError `STORE_*` for one of another format, and for a schema of somebody else. */
async function hasStore(client: pg.Client, url: string): Promise<boolean> {
  const format = await readPostgresFormat(client);
  if (format === null) {
    throw new StoreError('STORE_UNRECOGNIZED', `the database ${redactUrl(url)} has a schema "edict" that is not edict's`, {
      hint: 'name another database with --state',
    });
  }
  if (format !== 0 && format !== storeFormat) throw otherFormat(redactUrl(url), format);
  return format !== 0;
}

/** Makes the store one for gateways of `kind`, unless it has been claimed for the other. */
async function ensureStoreKind(write: (one: Statement) => Promise<unknown>, database: PostgresDatabase, kind: StoreKind): Promise<void> {
  const { insertSetting, readSetting } = database.queries;
  await write(bindQuery(insertSetting, { name: 'gateways', value: kind }));
  const [row] = await database.read(bindQuery(readSetting, { name: 'gateways' }));
  if (row?.['value'] === kind) return;
  throw new StoreError(
    'STORE_KIND_MISMATCH',
    `the store ${database.displayUrl} holds the record of ${kind === 'emulated' ? 'real gateways' : 'emulated gateways'}`,
    {
      hint:
        kind === 'emulated'
          ? 'leave --state out with --emulate, or name another store'
          : 'this store was written with --emulate; name another one with --state',
    },
  );
}

async function withClient<T>(url: string, use: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = await connect({ url, applicationName: 'edict' });
  try {
    return await use(client);
  } catch (error) {
    throw toPostgresStoreError(error, redactUrl(url));
  } finally {
    await client.end().catch(() => {});
  }
}

/** How stores are opened in PostgreSQL. */
export const postgresEngine: StoreEngine = { openReadonly, openStore, openShared, openSnapshot, openFill, toDisplayUrl };
