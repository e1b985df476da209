import { type EdictError, errorMessage, StoreError, storeError } from '../../model/errors.ts';
import { storeFormat } from '../database.ts';

/** Errors by primary SQLite result code, from sqlite.org/rescode.html. */
const errorsByResultCode: Readonly<Record<number, { code: string; what: string; hint: string }>> = {
  5: { code: 'STORE_LOCKED', what: 'is locked by another process', hint: 'wait until it has finished' },
  6: { code: 'STORE_LOCKED', what: 'is locked by another process', hint: 'wait until it has finished' },
  8: { code: 'STORE_READ_ONLY', what: 'cannot be written', hint: 'give this user write permission on the file and its directory' },
  10: {
    code: 'STORE_IO_ERROR',
    what: 'cannot be read or written by the disk',
    hint: 'check the disk; no call was sent without a record',
  },
  11: { code: 'STORE_CORRUPT', what: 'is damaged', hint: 'move it away and restore a copy; edict has changed nothing in it' },
  13: { code: 'STORE_FULL', what: 'cannot grow: the disk is full', hint: 'free some space; no call was sent without a record' },
  14: { code: 'STORE_OPEN_FAILED', what: 'cannot be opened', hint: 'check the path and the permissions of its directory' },
  26: {
    code: 'STORE_CORRUPT',
    what: 'is not a SQLite database, or is damaged',
    hint: 'name another store with --state, or move the file away; edict has changed nothing in it',
  },
};

/** SQLite result codes by file system error. */
const resultCodeByErrno: Readonly<Record<string, number>> = {
  EACCES: 8,
  EPERM: 8,
  EROFS: 8,
  ENOSPC: 13,
  EDQUOT: 13,
  EIO: 10,
  EISDIR: 14,
  ENOTDIR: 14,
  ENOENT: 14,
  ELOOP: 14,
  ENAMETOOLONG: 14,
  EEXIST: 14,
};

/** Maps a SQLite or file system failure at `path` to an EdictError. Returns any other value unchanged. */
export function toSqliteStoreError(thrown: unknown, path: string): unknown {
  const { code, errcode } = thrown as { code?: string; errcode?: number };
  const number = code === 'ERR_SQLITE_ERROR' ? errcode : resultCodeByErrno[code ?? ''];
  if (number === undefined) return thrown;
  const row = errorsByResultCode[number & 0xff];
  if (!row) return new StoreError('STORE_FAILED', `the store ${path} failed: ${errorMessage(thrown)}`, { cause: thrown });
  return storeError(row.code, `the store ${path} ${row.what}`, { hint: row.hint, cause: thrown });
}

/** Runs `action` and maps a SQLite failure in it to an EdictError. */
export function mapSqliteError<T>(path: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw toSqliteStoreError(error, path);
  }
}

/** Returns the error for a store of another format; `at` is the store URL without a password. */
export function otherFormat(at: string, format: number): EdictError {
  return new StoreError('STORE_FORMAT', `the store ${at} has format ${format}, and this edict works with format ${storeFormat} only`, {
    hint: 'use the edict that wrote it, or name another store with --state; nothing was changed in it',
  });
}
