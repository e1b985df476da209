/*
 * The postgres folder is the store in a PostgreSQL schema, for any number of processes. It must check the fence in every transaction that
 * writes under a lease, decide the end of a lease by the database clock alone, and never print a password.
 */

import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type pg from 'pg';
import { StoreError } from '../../model/errors.ts';
import { redactUrl } from '../../model/store-url.ts';
import {
  bindQuery,
  type Database,
  type ReadOptions,
  type Statement,
  type StoreEngine,
  type StoreFill,
  type StoreKind,
  type StoreOptions,
  storeFormat,
} from '../database.ts';
import type { Store, StoreReader } from '../interface.ts';
import { emptyStore, ReadonlyStore } from '../readonly-store.ts';
import { RecordStore } from '../record-store.ts';
import { otherFormat } from '../sqlite/errors.ts';
import { connect, disconnect, unverifiedMode } from './connection.ts';
import { PostgresDatabase } from './database.ts';
import { toPostgresStoreError } from './errors.ts';
import { PostgresLeases } from './leases.ts';
import { createPostgresSchema, readPostgresFormat } from './schema.ts';

/** How long a lease is held after its last renewal, in milliseconds. The gateways of a dead process are taken over after this time. */
const leaseDurationMs = 4000;

/**
 * Opens the store for reading. A database without edict's schema is an empty store.
 *
 * @throws EdictError `STORE_*` if the store cannot be read
 */
async function openReadonly({ url, queryLimitMs }: ReadOptions): Promise<StoreReader> {
  if (!(await withClient(url, (client) => hasStore(client, url)))) return emptyStore;
  return new ReadonlyStore(new PostgresDatabase(url, queryLimitMs));
}

/**
 * Opens the store for writing and creates missing tables. Any number of processes can have it open, since each gateway has its own lease.
 *
 * @throws EdictError `STORE_*` if the store cannot be written
 */
async function openStore({ url, isEmulated, onUnverified }: StoreOptions): Promise<Store> {
  await createIfMissing(url);
  const database = new PostgresDatabase(url);
  await closeOnError(database, () =>
    ensureStoreKind((statement) => database.write([statement]), database, isEmulated ? 'emulated' : 'real'),
  );
  const sslmode = unverifiedMode(url);
  if (sslmode !== null) onUnverified?.(sslmode);
  const holder = `${hostname()}, pid ${process.pid}, ${randomUUID().slice(0, 8)}`;
  return new RecordStore(database, new PostgresLeases(database, { url, holder, leaseDurationMs, clock }));
}

/**
 * Opens the store for writes that need no lease.
 *
 * @throws EdictError `STORE_*` if the store cannot be written or has another format
 */
async function openShared(url: string): Promise<Database> {
  await assertStoreExists(url);
  return new PostgresDatabase(url);
}

/** Opens an existing store; all reads see one snapshot of it. Throws an EdictError `STORE_*`. */
async function openSnapshot(url: string): Promise<Database> {
  await assertStoreExists(url);
  const database = new PostgresDatabase(url);
  await closeOnError(database, () => database.begin(beginSnapshotSql));
  return database;
}

/** PostgreSQL takes the snapshot at the first query, not at BEGIN. */
const beginSnapshotSql = [
  'SET idle_in_transaction_session_timeout = 0',
  'BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY',
  'SELECT now()',
];

/**
 * Opens the target of a copy for gateways of `kind`, and creates missing tables. Throws an EdictError `STORE_*`, also if another copy is
 * filling the store.
 */
async function openFill(url: string, kind: StoreKind): Promise<StoreFill> {
  await createIfMissing(url);
  const database = new PostgresDatabase(url);
  const run = (statement: Statement) => database.read(statement);
  await closeOnError(database, async () => {
    await database.begin(beginFillSql);
    await ensureStoreKind(run, database, kind);
  });
  const { displayUrl, queries } = database;
  return { displayUrl, queries, run, commit: async () => void (await run(commit)), close: () => database.close() };
}

/**
 * The table lock makes processes that add a gateway or take a lease wait for the end of the copy. The idle timeout allows for the time that
 * reading the source store takes.
 */
const beginFillSql = [
  "SET idle_in_transaction_session_timeout = '60s'",
  'BEGIN ISOLATION LEVEL READ COMMITTED',
  "SET LOCAL lock_timeout = '5s'",
  'LOCK TABLE edict.gateway IN EXCLUSIVE MODE',
];

const commit: Statement = { query: { sql: 'COMMIT', parameters: [] }, values: [] };

/** Returns the store URL without its password. */
function toDisplayUrl(url: string): string {
  return redactUrl(url);
}

async function createIfMissing(url: string): Promise<void> {
  await withClient(url, async (client) => {
    if (!(await hasStore(client, url))) await createPostgresSchema(client);
  });
}

async function assertStoreExists(url: string): Promise<void> {
  if (await withClient(url, (client) => hasStore(client, url))) return;
  throw new StoreError('STORE_NOT_FOUND', `there is no store in ${redactUrl(url)}`, { hint: 'name it with --state' });
}

/** Closes the database if `check` rejects, and rethrows its error. */
async function closeOnError(database: PostgresDatabase, check: () => Promise<void>): Promise<void> {
  try {
    await check();
  } catch (error) {
    await database.close();
    throw error;
  }
}

const clock = { monotonicMs: () => performance.now(), now: () => Date.now() };

/** Returns whether the database has a store. Rejects with an EdictError `STORE_*` if it has another format or if the schema is not edict's. */
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

/** Claims the store for gateways of `kind`. Rejects if it was claimed for the other kind. */
async function ensureStoreKind(
  write: (statement: Statement) => Promise<unknown>,
  database: PostgresDatabase,
  kind: StoreKind,
): Promise<void> {
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
    await disconnect(client);
  }
}

/** How stores are opened in PostgreSQL. */
export const postgresEngine: StoreEngine = { openReadonly, openStore, openShared, openSnapshot, openFill, toDisplayUrl };
