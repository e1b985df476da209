import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type pg from 'pg';
import { EdictError } from '../core/errors.ts';
import type { RecordReader, Store } from '../core/ports.ts';
import { shownAddress } from '../core/store-address.ts';
import { refuseClosed } from './closed.ts';
import { type Database, type Kind, type StoreOptions, step, storeFormat } from './database.ts';
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
  const database = new PostgresDatabase(url);
  await checked(database, () => refuseClosed(database));
  return new StoredRecord(database);
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
  await checked(database, async () => {
    await claim(database, url, emulated ? 'emulated' : 'real');
    await refuseClosed(database);
  });
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
  const database = new PostgresDatabase(url);
  await checked(database, () => refuseClosed(database));
  return database;
}

/** Opens a store that exists so that every read sees it as it is now. Throws an EdictError `STORE_*`. */
export async function openSnapshot(url: string): Promise<Database> {
  await refuseAbsent(url);
  const database = new PostgresDatabase(url);
  await checked(database, () => database.freeze());
  return database;
}

/** Opens a store for writing, also a closed one, while no lease is held in it and nobody else has it so. Throws an EdictError `STORE_*`. */
export async function openWhole(url: string, kind: Kind | null): Promise<Database> {
  await createWhereMissing(url);
  const database = new PostgresDatabase(url);
  await checked(database, async () => {
    await database.occupy();
    if (kind) await claim(database, url, kind);
    await database.writeAlone([]);
  });
  return database;
}

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

async function claim(database: PostgresDatabase, url: string, kind: Kind): Promise<void> {
  const { insertSetting, readSetting } = database.queries;
  await database.write([step(insertSetting, { name: 'gateways', value: kind })]);
  const [row] = await database.read(step(readSetting, { name: 'gateways' }));
  if (row?.['value'] === kind) return;
  throw new EdictError(
    'STORE_KIND',
    `the store ${shownAddress(url)} holds the record of ${kind === 'emulated' ? 'real gateways' : 'emulated gateways'}`,
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
