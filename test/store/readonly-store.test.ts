import { DatabaseSync } from 'node:sqlite';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { EdictError } from '../../src/model/errors.ts';
import { emptyStore, ReadonlyStore } from '../../src/store/readonly-store.ts';
import { SqliteDatabase } from '../../src/store/sqlite/database.ts';
import { createSqliteSchema } from '../../src/store/sqlite/schema.ts';
import { gatewaySettings } from '../support/states.ts';

const gateway = gatewaySettings();

test('a store that does not exist has no records', async () => {
  assert.equal(await emptyStore.readRecordedState(gateway), new Map());
  assert.equal(await emptyStore.history(gateway, { limit: 5 }), []);
  assert.equal(await emptyStore.lastAttempts(gateway), new Map());
  assert.is(await emptyStore.close(), undefined);
});

test('a gateway that was never written has no records, and reading does not create it', async () => {
  const db = new DatabaseSync(':memory:');
  createSqliteSchema(db);
  const reader = new ReadonlyStore(new SqliteDatabase(db, 'state.db'));
  assert.equal(await reader.readRecordedState(gateway), new Map());
  assert.equal(await reader.history(gateway, { limit: 5 }), []);
  assert.equal(await reader.lastAttempts(gateway), new Map());
  assert.is(db.prepare('SELECT count(*) AS n FROM gateway').get()?.['n'], 0);
  await reader.close();
  assert.not(db.isOpen);
});

test('every method maps the errors of SQLite', async () => {
  const reader = new ReadonlyStore(new SqliteDatabase(new DatabaseSync(':memory:'), 'state.db'));
  for (const reading of [
    () => reader.readRecordedState(gateway),
    () => reader.history(gateway, { limit: 5 }),
    () => reader.lastAttempts(gateway),
  ]) {
    const error = (await reading().catch((thrown: unknown) => thrown)) as EdictError;
    assert.is(error.code, 'STORE_FAILED');
  }
  await reader.close();
});

test.run();
