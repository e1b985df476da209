import { DatabaseSync } from 'node:sqlite';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { currentVersion, migrate, schemaState } from '../../src/store/sqlite-migrations.ts';

const schemaOf = (db: DatabaseSync) => db.prepare('SELECT name, sql FROM sqlite_schema ORDER BY name').all();

test('an empty database is version 0 and becomes the current one', () => {
  using db = new DatabaseSync(':memory:');
  assert.equal(schemaState(db), { kind: 'edict', version: 0 });
  migrate(db, 0);
  assert.equal(schemaState(db), { kind: 'edict', version: currentVersion });
});

test('a database of the current version stays as it is', () => {
  using db = new DatabaseSync(':memory:');
  migrate(db, 0);
  const before = schemaOf(db);
  migrate(db, currentVersion);
  assert.equal(schemaOf(db), before);
});

test('a migration that fails has never happened', () => {
  using db = new DatabaseSync(':memory:');
  db.exec('CREATE TABLE publication (x)');
  const before = schemaOf(db);
  assert.throws(() => migrate(db, 0), /publication already exists/);
  assert.equal(schemaOf(db), before);
  assert.not(db.isTransaction);
  assert.equal(schemaState(db), { kind: 'foreign' });
});

test('a database of anyone else is foreign', () => {
  for (const sql of ['CREATE TABLE t (x)', 'PRAGMA user_version = 1', 'PRAGMA application_id = 7']) {
    using db = new DatabaseSync(':memory:');
    db.exec(sql);
    assert.equal(schemaState(db), { kind: 'foreign' }, sql);
  }
});

test('looking changes nothing', () => {
  using db = new DatabaseSync(':memory:');
  schemaState(db);
  assert.equal(schemaOf(db), []);
});

test.run();
