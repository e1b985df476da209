import { DatabaseSync } from 'node:sqlite';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { EdictError, StoreError } from '../../../src/model/errors.ts';
import { mapSqliteError, toSqliteStoreError } from '../../../src/store/sqlite/errors.ts';

const sqlite = (errcode: number) => Object.assign(new Error('from SQLite'), { code: 'ERR_SQLITE_ERROR', errcode });
const system = (code: string) => Object.assign(new Error('from the system'), { code });

for (const [thrown, code] of [
  [sqlite(5), 'STORE_LOCKED'],
  [sqlite(517), 'STORE_LOCKED'],
  [sqlite(6), 'STORE_LOCKED'],
  [sqlite(8), 'STORE_READ_ONLY'],
  [sqlite(10), 'STORE_IO_ERROR'],
  [sqlite(778), 'STORE_IO_ERROR'],
  [sqlite(11), 'STORE_CORRUPT'],
  [sqlite(13), 'STORE_FULL'],
  [sqlite(14), 'STORE_OPEN_FAILED'],
  [sqlite(26), 'STORE_CORRUPT'],
  [sqlite(1), 'STORE_FAILED'],
  [system('EACCES'), 'STORE_READ_ONLY'],
  [system('EROFS'), 'STORE_READ_ONLY'],
  [system('ENOSPC'), 'STORE_FULL'],
  [system('EIO'), 'STORE_IO_ERROR'],
  [system('ENOTDIR'), 'STORE_OPEN_FAILED'],
  [system('ENOENT'), 'STORE_OPEN_FAILED'],
] as const) {
  test(`${'errcode' in thrown ? thrown.errcode : thrown.code} means ${code}, and keeps its cause`, () => {
    const error = toSqliteStoreError(thrown, '/path/state.db') as EdictError;
    assert.instance(error, EdictError);
    assert.is(error.code, code);
    assert.match(error.message, '/path/state.db');
    assert.is(error.cause, thrown);
    if (code !== 'STORE_FAILED') assert.ok(error.hint);
  });
}

test('a bug is rethrown as it is, and so is an error that is mapped already', () => {
  for (const thrown of [new TypeError('bug'), new StoreError('STORE_KIND_MISMATCH', 'told'), system('EDOM')])
    assert.is(toSqliteStoreError(thrown, 'p'), thrown);
});

test('a result is returned, and an error of SQLite is mapped', () => {
  assert.is(
    mapSqliteError('p', () => 7),
    7,
  );
  using db = new DatabaseSync(':memory:');
  assert.throws(
    () => mapSqliteError('p', () => db.exec('SELEC')),
    (error: EdictError) => error.code === 'STORE_FAILED' && /syntax error/.test(error.message),
  );
});

test.run();
