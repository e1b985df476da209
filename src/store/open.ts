import { StoreError } from '../model/errors.ts';
import type { Store, StoreReader } from '../model/ports.ts';
import { isPostgresUrl, redactUrl } from '../model/store-url.ts';
import type { Database, StoreEngine, StoreFill, StoreKind, StoreOptions } from './database.ts';

/**
 * Opens the store for reading and makes nothing. A store that does not exist is an empty one.
 *
 * @throws EdictError `STORE_*` for a store that this edict cannot or must not read, `STORE_URL_INVALID` for an address of none
 */
export async function openReadonly({ url }: Pick<StoreOptions, 'url'>): Promise<StoreReader> {
  return (await loadEngine(url)).openReadonly(url);
}

/**
 * Opens the store for writing, and creates it where it is missing. What it says of a gateway is written under that gateway's lease.
 *
 * @throws EdictError `STORE_LOCKED` if another edict has it, `STORE_*` for a store that this edict cannot or must not write, `STORE_URL_INVALID` for an address of none
 */
export async function openStore(options: StoreOptions): Promise<Store> {
  return (await loadEngine(options.url)).openStore(options);
}

/**
 * Opens a store for what is written without a lease, beside whoever works on it: a person's word.
 *
 * @throws EdictError `STORE_*` for a store that this edict cannot or must not write, or that is of another format than its own
 */
export async function openShared(url: string): Promise<Database> {
  return (await loadEngine(url)).openShared(url);
}

/**
 * Opens a store that exists for reading, so that every read sees it as it is now.
 *
 * @throws EdictError `STORE_*` for a store that this edict cannot read, or that is of another format than its own
 */
export async function openSnapshot(url: string): Promise<Database> {
  return (await loadEngine(url)).openSnapshot(url);
}

/**
 * Opens a store that a copy is to fill, and creates it where it is missing, for gateways of `kind`.
 *
 * @throws EdictError `STORE_LOCKED` if another process fills it or has a SQLite store, `STORE_*` for a store that this edict cannot or must not write
 */
export async function openFill(url: string, kind: StoreKind): Promise<StoreFill> {
  return (await loadEngine(url)).openFill(url, kind);
}

/** Returns the address of a store as other commands can be given it, without a password. Throws an EdictError `STORE_URL_INVALID` for an address of none. */
export async function toDisplayUrl(url: string): Promise<string> {
  return (await loadEngine(url)).toDisplayUrl(url);
}

/** Only the engine that is asked for is loaded. */
async function loadEngine(url: string): Promise<StoreEngine> {
  if (/^sqlite:(?:\/\/)?[^\0]+$/.test(url)) return (await import('./sqlite/open.ts')).sqliteEngine;
  if (isPostgresUrl(url)) return (await import('./postgres/open.ts')).postgresEngine;
  throw new StoreError('STORE_URL_INVALID', `--state ${redactUrl(url)} is not an address of a store`, {
    hint:
      'expected: sqlite:PATH, such as sqlite:.edict/state.db, or postgres://USER@HOST/DATABASE; put its password in a file ' +
      '(?password_file=PATH), or write each of : / ? # @ % in it as %3A %2F %3F %23 %40 %25; behind the ? an @ is written %40',
  });
}
