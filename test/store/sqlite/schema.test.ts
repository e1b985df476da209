import { DatabaseSync } from 'node:sqlite';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createSqliteSchema, readSqliteFormat } from '../../../src/store/sqlite/schema.ts';

const tablesOf = (db: DatabaseSync) => db.prepare('SELECT name, sql FROM sqlite_schema ORDER BY name').all();

test('an empty database has format 0, and format 1 once it has the tables', () => {
  using db = new DatabaseSync(':memory:');
  assert.is(readSqliteFormat(db), 0);
  assert.equal(tablesOf(db), [], 'reading changes nothing');
  createSqliteSchema(db);
  assert.is(readSqliteFormat(db), 1);
});

test('an interrupted creation leaves nothing', () => {
  using db = new DatabaseSync(':memory:');
  db.exec('CREATE TABLE publication (x)');
  const before = tablesOf(db);
  assert.throws(() => createSqliteSchema(db), /publication already exists/);
  assert.equal(tablesOf(db), before);
  assert.not(db.isTransaction);
  assert.is(readSqliteFormat(db), null);
});

test('a database of another program is not a store', () => {
  for (const sql of ['CREATE TABLE t (x)', 'PRAGMA user_version = 1', 'PRAGMA application_id = 7']) {
    using db = new DatabaseSync(':memory:');
    db.exec(sql);
    assert.is(readSqliteFormat(db), null, sql);
  }
});

test.run();
