/*
 * The store: recorded state, history, approvals and leases, in a SQLite file or a PostgreSQL schema. This file picks the engine by the URL.
 * The store must never acknowledge a write before it is durable, let a process write under a lease that it has lost, or mix the records of
 * real and emulated gateways.
 */
import { StoreError } from '../model/errors.ts';
import { isPostgresUrl, redactUrl } from '../model/store-url.ts';
import type { Database, ReadOptions, StoreEngine, StoreFill, StoreKind, StoreOptions } from './database.ts';
import type { Store, StoreReader } from './interface.ts';

/**
 * Opens the store for reading and creates nothing. A missing store reads as empty.
 *
 * @throws EdictError `STORE_*` if the store cannot be read, `STORE_URL_INVALID` if `url` is not a store URL
 */
export async function openReadonly(options: ReadOptions): Promise<StoreReader> {
  return (await loadEngine(options.url)).openReadonly(options);
}

/**
 * Opens the store for writing and creates it if it is missing. A gateway's state is written under that gateway's lease.
 *
 * @throws EdictError `STORE_LOCKED` if another process has locked the store, `STORE_*` if it cannot be written, `STORE_URL_INVALID` if
 * `options.url` is not a store URL
 */
export async function openStore(options: StoreOptions): Promise<Store> {
  return (await loadEngine(options.url)).openStore(options);
}

/**
 * Opens an existing store for writes that need no lease, such as approvals, while another process may hold leases in it.
 *
 * @throws EdictError `STORE_*` if the store cannot be written or has another format
 */
export async function openShared(url: string): Promise<Database> {
  return (await loadEngine(url)).openShared(url);
}

/**
 * Opens an existing store for reading; all reads see one snapshot of it.
 *
 * @throws EdictError `STORE_*` if the store cannot be read or has another format
 */
export async function openSnapshot(url: string): Promise<Database> {
  return (await loadEngine(url)).openSnapshot(url);
}

/**
 * Opens the target of a copy for gateways of `kind`, and creates the store if it is missing.
 *
 * @throws EdictError `STORE_LOCKED` if another process is filling the store or has locked a SQLite store, `STORE_*` if it cannot be written
 */
export async function openFill(url: string, kind: StoreKind): Promise<StoreFill> {
  return (await loadEngine(url)).openFill(url, kind);
}

/**
 * Returns the store URL without a password, in a form that other commands accept.
 *
 * @throws EdictError `STORE_URL_INVALID` if `url` is not a store URL
 */
export async function toDisplayUrl(url: string): Promise<string> {
  return (await loadEngine(url)).toDisplayUrl(url);
}

/** Imports only the engine in use, which keeps the start fast. */
async function loadEngine(url: string): Promise<StoreEngine> {
  if (/^sqlite:(?:\/\/)?[^\0]+$/.test(url)) return (await import('./sqlite/open.ts')).sqliteEngine;
  if (isPostgresUrl(url)) return (await import('./postgres/open.ts')).postgresEngine;
  throw new StoreError('STORE_URL_INVALID', `--state ${redactUrl(url)} is not an address of a store`, {
    hint:
      'expected: sqlite:PATH, such as sqlite:.edict/state.db, or postgres://USER@HOST/DATABASE; put its password in a file ' +
      '(?password_file=PATH), or write each of : / ? # @ % in it as %3A %2F %3F %23 %40 %25; behind the ? an @ is written %40',
  });
}
