import { chmodSync, closeSync, mkdirSync, openSync, type Stats, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { EdictError } from '../core/errors.ts';
import type { RecordReader, Store } from '../core/ports.ts';
import { type Database, type Kind, type StoreFill, type StoreOptions, storeFormat } from './database.ts';
import { OwnLeases } from './leases.ts';
import { RecordStore } from './record-store.ts';
import { SqliteDatabase } from './sqlite-database.ts';
import { createSchema, formatIn } from './sqlite-schema.ts';
import { explained, otherFormat } from './store-error.ts';
import { emptyRecord, StoredRecord } from './stored-record.ts';
import { lockForWriting } from './writer-lock.ts';

/** How often a store that another edict has is looked at, in milliseconds. */
const lookEveryMs = 200;

/** How long a read or write waits for another process's transaction, in milliseconds. */
const busyMs = 5000;

/**
 * Opens the store for reading and makes no file. A store that does not exist is an empty one.
 *
 * @throws EdictError `STORE_*` for a store that this edict cannot or must not read
 */
export async function openRecord(url: string): Promise<RecordReader> {
  const path = pathOf(url);
  return explained(path, () => {
    if (!isStored(path)) return emptyRecord;
    const { db, isEmpty } = openForReading(path);
    if (!isEmpty) return new StoredRecord(new SqliteDatabase(db, path));
    db.close();
    return emptyRecord;
  });
}

/**
 * Opens the store for writing, creates it where it is missing, and keeps every other process from writing it.
 * The file can be read and written by its owner alone.
 *
 * @throws EdictError `STORE_LOCKED` if another edict has it, `STORE_*` for a store that this edict cannot or must not write
 */
export async function openStore({ url, emulated, waitMs = 0, signal, onWait }: StoreOptions): Promise<Store> {
  const path = pathOf(url);
  const untilMs = performance.now() + waitMs;
  for (let looks = 0; ; looks += 1) {
    const database = openNow(path, (db) => claim(db, path, emulated ? 'emulated' : 'real'));
    if (database) return new RecordStore(database, new OwnLeases(database));
    if (signal?.aborted || performance.now() >= untilMs) throw locked(path);
    if (looks === 0) onWait?.(locked(path).message);
    await setTimeout(lookEveryMs, undefined, { ...(signal && { signal }) }).catch(() => {});
  }
}

/** Returns the store after `prepare`, `null` if another edict has it. */
function openNow(path: string, prepare: (db: DatabaseSync) => void): SqliteDatabase | null {
  return explained(path, () => {
    // A file that is not edict's is not touched, and none is put beside it.
    if (isStored(path)) openForReading(path).db.close();
    makePrivateDirectory(dirname(path));
    for (const file of [path, `${path}.lock`]) if (isAbsent(file)) makePrivateFile(file);
    const lock = explained(`${path}.lock`, () => lockForWriting(path));
    if (!lock) return null;
    try {
      return new SqliteDatabase(openForWriting(path, prepare), path, () => lock.release());
    } catch (error) {
      lock.release();
      throw error;
    }
  });
}

/** Opens a file that exists for reading; throws an EdictError `STORE_*` for one that is no store of this format, nor empty. */
function openForReading(path: string): { readonly db: DatabaseSync; readonly isEmpty: boolean } {
  // A read-only connection would leave its shared-memory file behind; one that may write but does not cleans up.
  const db = new DatabaseSync(`${pathToFileURL(path)}?mode=rw`, { timeout: busyMs });
  try {
    db.exec('PRAGMA query_only = ON');
    return { db, isEmpty: isEmpty(db, path) };
  } catch (error) {
    db.close();
    throw error;
  }
}

function openForWriting(path: string, prepare: (db: DatabaseSync) => void): DatabaseSync {
  const db = new DatabaseSync(path, { timeout: busyMs });
  try {
    const isNew = isEmpty(db, path);
    chmodSync(path, 0o600);
    db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 4000');
    if (isNew) createSchema(db);
    db.prepare('INSERT OR REPLACE INTO holder (one, pid, since_ms) VALUES (1, ?, ?)').run(process.pid, Date.now());
    prepare(db);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/** Makes the store one for gateways of `kind`, unless it has been claimed for the other. */
function claim(db: DatabaseSync, path: string, kind: Kind): void {
  db.prepare("INSERT INTO setting (name, value) VALUES ('gateways', ?) ON CONFLICT DO NOTHING").run(kind);
  const found = db.prepare("SELECT value FROM setting WHERE name = 'gateways'").get()?.['value'];
  if (found !== kind) {
    const hint =
      kind === 'emulated'
        ? 'leave --state out with --emulate, or name another store'
        : 'this store was written with --emulate; name another one with --state';
    throw new EdictError('STORE_KIND', `the store ${path} holds the record of ${found === 'emulated' ? 'an emulated' : 'a real'} gateway`, {
      hint,
    });
  }
}

function isEmpty(db: DatabaseSync, path: string): boolean {
  const format = formatIn(db);
  if (format === null) {
    throw new EdictError('STORE_FOREIGN', `the store ${path} is a database, but not one of edict's`, {
      hint: 'name another file with --state',
    });
  }
  if (format !== 0 && format !== storeFormat) throw otherFormat(path, format);
  return format === 0;
}

function locked(path: string): EdictError {
  return new EdictError('STORE_LOCKED', `the store ${path} is in use by another edict${holderOf(path)}`, {
    hint: 'stop that one first, or wait for it with --wait',
  });
}

function holderOf(path: string): string {
  try {
    using db = new DatabaseSync(path, { readOnly: true });
    const row = db.prepare('SELECT pid, since_ms FROM holder').get();
    return row ? ` (pid ${row['pid']}, since ${new Date(Number(row['since_ms'])).toISOString()})` : '';
  } catch {
    return '';
  }
}

function isAbsent(path: string): boolean {
  return statsOf(path) === null;
}

function statsOf(path: string): Stats | null {
  try {
    return statSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

/** Anything but a plain file, a device above all, is refused before it is opened or its permissions are changed. */
function isStored(path: string): boolean {
  const stats = statsOf(path);
  if (stats === null || stats.isFile()) return stats !== null;
  throw new EdictError('STORE_UNOPENABLE', `the store ${path} cannot be opened: it is not a file`, {
    hint: 'name another file with --state',
  });
}

/** Step by step, since Node's `recursive` never ends below /proc. */
function makePrivateDirectory(path: string): void {
  if (!isAbsent(path)) return;
  makePrivateDirectory(dirname(path));
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

/** Never for a file that exists: to close it would end every lock that this process holds on it. */
function makePrivateFile(path: string): void {
  closeSync(openSync(path, 'a', 0o600));
}

/**
 * Opens the store for what is written beside an edict that has it.
 *
 * @throws EdictError `STORE_*` for a store that this edict cannot or must not write, or that is of another format than its own
 */
export async function openBeside(url: string): Promise<Database> {
  const path = pathOf(url);
  return explained(path, () => {
    const db = openExisting(path);
    db.exec('PRAGMA query_only = OFF; PRAGMA synchronous = FULL');
    return new SqliteDatabase(db, path);
  });
}

/** Opens a store that exists so that every read sees it as it is now. Throws an EdictError `STORE_*`. */
export async function openSnapshot(url: string): Promise<Database> {
  const path = pathOf(url);
  return explained(path, () => {
    const db = openExisting(path);
    db.exec('BEGIN');
    return new SqliteDatabase(db, path);
  });
}

/** Opens a store for a copy while no other edict has it, and makes it where needed; its gateways are of `kind`. Throws an EdictError `STORE_*`. */
export async function openFill(url: string, kind: Kind): Promise<StoreFill> {
  const path = pathOf(url);
  let commit = (): void => {};
  const database = openNow(path, (db) => {
    db.exec('BEGIN IMMEDIATE');
    claim(db, path, kind);
    commit = () => db.exec('COMMIT');
  });
  if (!database) throw locked(path);
  const { name, queries } = database;
  return {
    name,
    queries,
    run: (step) => database.read(step),
    commit: async () => explained(path, commit),
    close: () => database.close(),
  };
}

/** Returns the address of a store by its whole path. */
export function nameOf(url: string): string {
  return `sqlite:${pathOf(url)}`;
}

function openExisting(path: string): DatabaseSync {
  const opened = isStored(path) ? openForReading(path) : null;
  if (opened && !opened.isEmpty) return opened.db;
  opened?.db.close();
  throw new EdictError('STORE_ABSENT', `there is no store ${path}`, { hint: 'name it with --state' });
}

/** Returns the path of a store's address. */
function pathOf(url: string): string {
  return resolve(url.replace(/^sqlite:(?:\/\/)?/, ''));
}
