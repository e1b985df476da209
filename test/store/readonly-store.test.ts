import { DatabaseSync } from 'node:sqlite';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { HistoryFilter } from '../../src/model/attempt.ts';
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

test('a long history is read page by page, in full and in order, and not to its end for a reader that has left', async () => {
  const db = new DatabaseSync(':memory:');
  createSqliteSchema(db);
  const { endpoint, project, instance } = gateway;
  db.prepare('INSERT INTO gateway (id, endpoint, project, instance) VALUES (1, ?, ?, ?)').run(endpoint, project, instance);
  db.exec(`
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000)
    INSERT INTO attempt (id, gateway_id, reconcile_id, api, api_id, environment, environment_id, action, reason, fence, started_at_ms, send_by_ms, prior_state)
    SELECT i, 1, 'r', 'api' || (i % 2), 'id' || (i % 2), 'test', 'env' || (i % 3), 'online', 'missing', 1, i, i, 'none' FROM n`);
  const reads: unknown[] = [];
  const database = new SqliteDatabase(db, 'state.db');
  const read = database.read.bind(database);
  database.read = (statement) => {
    reads.push(statement.query);
    return read(statement);
  };
  const reader = new ReadonlyStore(database);
  const ids = async (filter: HistoryFilter): Promise<number[]> => (await reader.history(gateway, filter)).map(({ id }) => id);
  const all = Array.from({ length: 1000 }, (_, index) => 1000 - index);
  for (const [filter, isWanted] of [
    [{}, () => true],
    [{ apis: ['api1'] }, (id: number) => id % 2 === 1],
    [{ apis: ['id0', 'api1'] }, () => true],
    [{ environments: ['env2'] }, (id: number) => id % 3 === 2],
    [{ apis: ['api0'], environments: ['env0', 'env1'] }, (id: number) => id % 2 === 0 && id % 3 < 2],
  ] as const) {
    for (const limit of [1, 200, 401, 5000]) assert.equal(await ids({ ...filter, limit }), all.filter(isWanted).slice(0, limit));
  }
  reads.length = 0;
  const left = new AbortController();
  setImmediate(() => left.abort(new Error('left')));
  const refused = await reader.history(gateway, { limit: 1000 }, left.signal).catch((error: Error) => error.message);
  assert.is(refused, 'left');
  assert.ok(reads.length < 6, `${reads.length}`);
  await reader.close();
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
