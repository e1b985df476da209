/*
 * The sqlite folder is the store in one SQLite file, with one writing process at a time. It must never write without the lock, change a
 * file that is not edict's, or create a file to read a store that does not exist.
 */

import { randomUUID } from 'node:crypto';
import { chmodSync, closeSync, mkdirSync, openSync, type Stats, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { type EdictError, StoreError, StoreLockedError } from '../../model/errors.ts';
import {
  type Database,
  type ReadOptions,
  type StoreEngine,
  type StoreFill,
  type StoreKind,
  type StoreOptions,
  storeFormat,
} from '../database.ts';
import type { Store, StoreReader } from '../interface.ts';
import { emptyStore, ReadonlyStore } from '../readonly-store.ts';
import { RecordStore } from '../record-store.ts';
import { SqliteDatabase } from './database.ts';
import { mapSqliteError, otherFormat } from './errors.ts';
import { LocalLeases } from './leases.ts';
import { createSqliteSchema, readSqliteFormat } from './schema.ts';
import { fileIdentity, StoreFiles } from './store-files.ts';

/** How often a lock held by another process is polled, in milliseconds. */
const lockPollIntervalMs = 200;

/** How long a read or write waits for another process's transaction, in milliseconds. */
const busyTimeoutMs = 5000;

/**
 * Opens the store for reading and creates no file. A missing store reads as empty.
 *
 * @throws EdictError `STORE_*` if the store cannot be read
 */
async function openReadonly({ url }: ReadOptions): Promise<StoreReader> {
  const path = toPath(url);
  return mapSqliteError(path, () => {
    if (!hasStoreFile(path)) return emptyStore;
    const { db, isEmpty } = openForReading(path);
    if (!isEmpty) return new ReadonlyStore(new SqliteDatabase(db, path));
    db.close();
    return emptyStore;
  });
}

/**
 * Opens the store for writing, creates it if it is missing, and locks out all other writers.
 * Only the owner of the file can read and write it.
 *
 * @throws EdictError `STORE_LOCKED` if another process has locked the store, `STORE_*` if it cannot be written
 */
async function openStore({ url, isEmulated, lockTimeoutMs = 0, signal, onWait }: StoreOptions): Promise<Store> {
  const path = toPath(url);
  const deadlineMs = performance.now() + lockTimeoutMs;
  for (let polls = 0; ; polls += 1) {
    const opened = tryOpen(path, (db) => ensureStoreKind(db, path, isEmulated ? 'emulated' : 'real'));
    if (opened) return new RecordStore(opened.database, new LocalLeases(opened.database));
    if (signal?.aborted || performance.now() >= deadlineMs) throw toLockedError(path);
    if (polls === 0) onWait?.(toLockedError(path).message);
    await setTimeout(lockPollIntervalMs, undefined, { ...(signal && { signal }) }).catch(() => {});
  }
}

/** Opens the store and runs `prepare`, whose result is `prepared`; `null` if another process has locked it. */
function tryOpen<T>(path: string, prepare: (db: DatabaseSync) => T): { readonly database: SqliteDatabase; readonly prepared: T } | null {
  return mapSqliteError(path, () => {
    // Check first that the file is edict's, so that a foreign file is not changed and gets no lock file beside it.
    const lastLockFile = hasStoreFile(path) ? readLastLockFile(path) : null;
    createPrivateDirectory(dirname(path));
    excludeFromGit(dirname(path));
    if (isMissing(`${path}.lock`)) createPrivateFile(`${path}.lock`);
    const lock = mapSqliteError(`${path}.lock`, () => acquireFileLock(path));
    if (!lock) return null;
    try {
      if (isMissing(path)) createPrivateFile(path);
      // A process whose lock file was deleted or replaced still has the store open, and may still call the gateway.
      if (lastLockFile !== null && lastLockFile !== lock.file && isOpenElsewhere(path)) {
        lock.release();
        return null;
      }
      const { db, files, prepared } = openForWriting(path, lock, prepare);
      return { database: new SqliteDatabase(db, path, { files, onClosed: () => lock.release() }), prepared };
    } catch (error) {
      lock.release();
      throw error;
    }
  });
}

/** Returns the lock file of the process that last opened the store for writing; `null` if there was none. */
function readLastLockFile(path: string): string | null {
  const { db, isEmpty } = openForReading(path);
  try {
    const row = isEmpty ? undefined : db.prepare('SELECT lock_file FROM holder').get();
    return row ? String(row['lock_file']) : null;
  } finally {
    db.close();
  }
}

/** Returns whether another connection, in any process, has the store open: each has a shared lock on the file until it is closed. */
function isOpenElsewhere(path: string): boolean {
  using db = new DatabaseSync(path, { timeout: 0 });
  try {
    db.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; ROLLBACK');
    return false;
  } catch (error) {
    if (isBusy(error)) return true;
    throw error;
  }
}

/**
 * Opens an existing file for reading, on a read-only medium too. Throws an EdictError `STORE_*` unless it is empty or a store of this
 * format.
 */
function openForReading(path: string): { readonly db: DatabaseSync; readonly isEmpty: boolean } {
  const url = pathToFileURL(path);
  try {
    // A read-only connection leaves its shared-memory file behind. A writable one removes it on close.
    return openAt(`${url}?mode=rw`, path);
  } catch (error) {
    const { errcode = 0 } = error as { errcode?: number };
    // SQLite cannot create the log and its index beside the store. While there is no log, the file alone is the whole store.
    const isReadOnlyMedium = errcode % 256 === 8 || errcode % 256 === 14;
    if (!isReadOnlyMedium || (statIfExists(`${path}-wal`)?.size ?? 0) > 0) throw error;
    return openAt(`${url}?mode=ro&immutable=1`, path);
  }
}

function openAt(url: string, path: string): { readonly db: DatabaseSync; readonly isEmpty: boolean } {
  const db = new DatabaseSync(url, { timeout: busyTimeoutMs });
  try {
    db.exec('PRAGMA query_only = ON');
    return { db, isEmpty: isEmpty(db, path) };
  } catch (error) {
    db.close();
    throw error;
  }
}

function openForWriting<T>(
  path: string,
  lock: FileLock,
  prepare: (db: DatabaseSync) => T,
): { readonly db: DatabaseSync; readonly files: StoreFiles; readonly prepared: T } {
  const db = new DatabaseSync(path, { timeout: busyTimeoutMs });
  let files: StoreFiles | null = null;
  try {
    const isNew = isEmpty(db, path);
    chmodSync(path, 0o600);
    db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 4000');
    if (isNew) createSqliteSchema(db);
    const token = randomUUID();
    db.prepare('INSERT OR REPLACE INTO holder (one, pid, since_ms, lock_file, token) VALUES (1, ?, ?, ?, ?)').run(
      process.pid,
      Date.now(),
      lock.file,
      token,
    );
    files = new StoreFiles({ path, db, token, lockFile: lock.file });
    return { db, files, prepared: prepare(db) };
  } catch (error) {
    db.close();
    files?.close();
    throw error;
  }
}

/** Claims the store for gateways of `kind`. Throws if it was claimed for the other kind. */
function ensureStoreKind(db: DatabaseSync, path: string, kind: StoreKind): void {
  db.prepare("INSERT INTO setting (name, value) VALUES ('gateways', ?) ON CONFLICT DO NOTHING").run(kind);
  const found = db.prepare("SELECT value FROM setting WHERE name = 'gateways'").get()?.['value'];
  if (found !== kind) {
    const hint =
      kind === 'emulated'
        ? 'leave --state out with --emulate, or name another store'
        : 'this store was written with --emulate; name another one with --state';
    throw new StoreError(
      'STORE_KIND_MISMATCH',
      `the store ${path} holds the record of ${found === 'emulated' ? 'an emulated' : 'a real'} gateway`,
      {
        hint,
      },
    );
  }
}

function isEmpty(db: DatabaseSync, path: string): boolean {
  const format = readSqliteFormat(db);
  if (format === null) {
    throw new StoreError('STORE_UNRECOGNIZED', `the store ${path} is a database, but not one of edict's`, {
      hint: 'name another file with --state',
    });
  }
  if (format !== 0 && format !== storeFormat) throw otherFormat(path, format);
  return format === 0;
}

function toLockedError(path: string): EdictError {
  return new StoreLockedError(`the store ${path} is in use by another edict process${describeLockHolder(path)}`, {
    hint: 'stop that one first, or wait for it with --lock-timeout',
  });
}

function describeLockHolder(path: string): string {
  try {
    using db = new DatabaseSync(path, { readOnly: true });
    const row = db.prepare('SELECT pid, since_ms FROM holder').get();
    return row ? ` (pid ${row['pid']}, since ${new Date(Number(row['since_ms'])).toISOString()})` : '';
  } catch {
    return '';
  }
}

function isMissing(path: string): boolean {
  return statIfExists(path) === null;
}

function statIfExists(path: string): Stats | null {
  try {
    return statSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

/**
 * Returns whether the file exists. Rejects anything but a regular file, such as a device, before it is opened or its permissions change, and a
 * missing or empty file beside a write-ahead log: SQLite deletes the log of an empty database, and with it the last records of a store that only
 * has to be put back.
 */
function hasStoreFile(path: string): boolean {
  // The log is looked at first: a store that another process is creating has content before its log has.
  const hasLog = (statIfExists(`${path}-wal`)?.size ?? 0) > 0;
  const stats = statIfExists(path);
  if (stats !== null && !stats.isFile()) {
    throw new StoreError('STORE_OPEN_FAILED', `the store ${path} cannot be opened: it is not a file`, {
      hint: 'name another file with --state',
    });
  }
  if (hasLog && (stats?.size ?? 0) === 0) {
    throw new StoreError('STORE_REPLACED', `the store ${path} is missing or empty, and its write-ahead log is not`, {
      hint: `put the database back, or move ${path}-wal away to begin an empty store`,
    });
  }
  return stats !== null;
}

/** Creates one level at a time, since Node's `recursive` never returns below /proc. */
function createPrivateDirectory(path: string): void {
  if (!isMissing(path)) return;
  createPrivateDirectory(dirname(path));
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

/** Keeps the default store, which is beside the edict file, out of the repository. */
function excludeFromGit(directory: string): void {
  const path = join(directory, '.gitignore');
  if (basename(directory) === '.edict' && isMissing(path)) writeFileSync(path, '*\n', { mode: 0o600 });
}

/** Must not be called for an existing file: closing it would drop every lock that this process holds on it. */
function createPrivateFile(path: string): void {
  closeSync(openSync(path, 'a', 0o600));
}

/**
 * Opens the store for writes that need no lease, while another process may have it locked.
 *
 * @throws EdictError `STORE_*` if the store cannot be written or has another format
 */
async function openShared(url: string): Promise<Database> {
  const path = toPath(url);
  return mapSqliteError(path, () => {
    const db = openExisting(path);
    db.exec('PRAGMA query_only = OFF; PRAGMA synchronous = FULL');
    return new SqliteDatabase(db, path);
  });
}

/** Opens an existing store; all reads see one snapshot of it. Throws an EdictError `STORE_*`. */
async function openSnapshot(url: string): Promise<Database> {
  const path = toPath(url);
  return mapSqliteError(path, () => {
    const db = openExisting(path);
    db.exec('BEGIN');
    return new SqliteDatabase(db, path);
  });
}

/** Opens the target of a copy for gateways of `kind`, creates it if it is missing, and locks it. Throws an EdictError `STORE_*`. */
async function openFill(url: string, kind: StoreKind): Promise<StoreFill> {
  const path = toPath(url);
  const opened = tryOpen(path, (db) => {
    db.exec('BEGIN IMMEDIATE');
    ensureStoreKind(db, path, kind);
    return (): void => db.exec('COMMIT');
  });
  if (!opened) throw toLockedError(path);
  const { database, prepared: commit } = opened;
  const { displayUrl, queries } = database;
  return {
    displayUrl,
    queries,
    run: (statement) => database.read(statement),
    commit: async () => mapSqliteError(path, commit),
    close: () => database.close(),
  };
}

/** Returns the store URL with an absolute path. */
function toDisplayUrl(url: string): string {
  return `sqlite:${toPath(url)}`;
}

function openExisting(path: string): DatabaseSync {
  const opened = hasStoreFile(path) ? openForReading(path) : null;
  if (opened && !opened.isEmpty) return opened.db;
  opened?.db.close();
  throw new StoreError('STORE_NOT_FOUND', `there is no store ${path}`, { hint: 'name it with --state' });
}

/** Returns the absolute path in a store URL. */
function toPath(url: string): string {
  return resolve(url.replace(/^sqlite:(?:\/\/)?/, ''));
}

/** The exclusive right to write one store. The operating system releases it when the process ends, however it ends. */
export interface FileLock {
  /** Identifies the locked file, see `fileIdentity`. */
  readonly file: string;
  release(): void;
}

/**
 * Locks the store at `path`; `null` if another process has locked it. The lock is on a SQLite file beside the store, so that other
 * processes can still read the store itself.
 */
export function acquireFileLock(path: string): FileLock | null {
  const lockPath = `${path}.lock`;
  const before = fileIdentity(lockPath);
  const db = new DatabaseSync(lockPath, { timeout: 0 });
  try {
    db.exec('BEGIN EXCLUSIVE');
    const file = fileIdentity(lockPath);
    // A lock on a file that was replaced before it was locked keeps nobody out.
    if (before === null || before === file) return { file: file ?? '', release: () => db.close() };
    db.close();
    return null;
  } catch (error) {
    db.close();
    if (isBusy(error)) return null;
    throw error;
  }
}

function isBusy(error: unknown): boolean {
  return ((error as { errcode?: number }).errcode ?? 0) % 256 === 5;
}

/** How stores are opened in a SQLite file. */
export const sqliteEngine: StoreEngine = { openReadonly, openStore, openShared, openSnapshot, openFill, toDisplayUrl };
