import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { basename } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { StoreError } from '../../model/errors.ts';

export interface StoreFilesOptions {
  readonly path: string;
  readonly db: DatabaseSync;
  /** A text in the row of `holder` that belongs to this opening alone. */
  readonly token: string;
  /** Identifies the lock file that this process has locked. */
  readonly lockFile: string;
}

/**
 * The files of an open store: the database, its write-ahead log with the log's index, and its lock. While none of their paths leads to
 * another file, no other process can hold the lock, and the next process reads what this one writes.
 */
export class StoreFiles {
  readonly #path: string;
  readonly #identities: ReadonlyMap<string, string | null>;
  readonly #db: DatabaseSync;
  /** Stays open until `close`: closing any descriptor of the database would drop every lock that this process has on it. */
  readonly #descriptor: number;
  readonly #holderPage: Buffer;
  readonly #holderPageStart: number;
  readonly #token: Buffer;
  /** Whether the token was found in the database file. A reader may delay the checkpoint that writes it. */
  #hasToken = false;

  constructor({ path, db, token, lockFile }: StoreFilesOptions) {
    this.#path = path;
    this.#db = db;
    this.#token = Buffer.from(token);
    const pageSize = Number(db.prepare('PRAGMA page_size').get()?.['page_size']);
    const rootPage = Number(db.prepare("SELECT rootpage FROM sqlite_schema WHERE name = 'holder'").get()?.['rootpage']);
    this.#holderPage = Buffer.alloc(pageSize);
    this.#holderPageStart = (rootPage - 1) * pageSize;
    db.exec('PRAGMA wal_checkpoint(PASSIVE)');
    const files = ['', '-wal', '-shm'].map((suffix) => `${path}${suffix}`);
    this.#identities = new Map([[`${path}.lock`, lockFile], ...files.map((file) => [file, fileIdentity(file)] as const)]);
    this.#descriptor = openSync(path, 'r');
  }

  /** Throws a StoreError `STORE_REPLACED` unless every file is still the one that was opened, and the database was not overwritten. */
  assertUnchanged(): void {
    for (const [file, identity] of this.#identities) {
      if (fileIdentity(file) === identity) continue;
      // The log of a database that is still in place has the last records, and nobody else can read it any more.
      if (file !== this.#path && fileIdentity(this.#path) === this.#identities.get(this.#path)) this.#saveLog();
      throw this.#toReplacedError(`${basename(file)} was deleted or replaced`);
    }
    readSync(this.#descriptor, this.#holderPage, 0, this.#holderPage.length, this.#holderPageStart);
    const hasToken = this.#holderPage.includes(this.#token);
    if (this.#hasToken && !hasToken) throw this.#toReplacedError(`${basename(this.#path)} was overwritten`);
    this.#hasToken = hasToken;
  }

  /** Call it after the database is closed. */
  close(): void {
    closeSync(this.#descriptor);
  }

  #saveLog(): void {
    if (!this.#db.isTransaction) this.#db.exec('PRAGMA wal_checkpoint(PASSIVE)');
  }

  #toReplacedError(what: string): StoreError {
    return new StoreError('STORE_REPLACED', `the store ${this.#path} was changed while edict has it open: ${what}`, {
      hint: 'stop edict, put the right files in place, and start it again; until then no call is made',
    });
  }
}

/** Returns a text that identifies the file at a path: its device and inode; `null` if there is none. */
export function fileIdentity(path: string): string | null {
  const stats = statSync(path, { bigint: true, throwIfNoEntry: false });
  return stats ? `${stats.dev}:${stats.ino}` : null;
}
