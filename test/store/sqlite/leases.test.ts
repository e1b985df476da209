import { DatabaseSync } from 'node:sqlite';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { bindQuery } from '../../../src/store/database.ts';
import { SqliteDatabase } from '../../../src/store/sqlite/database.ts';
import { LocalLeases } from '../../../src/store/sqlite/leases.ts';
import { createSqliteSchema } from '../../../src/store/sqlite/schema.ts';

async function opened() {
  const db = new DatabaseSync(':memory:');
  createSqliteSchema(db);
  const database = new SqliteDatabase(db, 'state.db');
  await database.write([bindQuery(database.queries.insertGateway, { endpoint: 'e', project: 'p', instance: 'i' })]);
  return { database, leases: new LocalLeases(database) };
}

test('a lease is held from acquire to release, with a fence that grows', async () => {
  const { leases } = await opened();
  assert.is(leases.fenceOf(1), null);
  const { lease } = await leases.acquire(1, 10);
  assert.equal([lease.fence, leases.fenceOf(1), lease.isHeld()], [1, 1, true]);
  await leases.release(1, 20);
  assert.is(leases.fenceOf(1), null);
  assert.is((await leases.acquire(1, 30)).lease.fence, 2);
});

test('reports how long nobody can have sent: zero after a holder that never released, or if the clock was set back', async () => {
  const { database, leases } = await opened();
  const next = new LocalLeases(database);
  await leases.acquire(1, 10);
  assert.is((await next.acquire(1, 50)).idleMs, 0);
  await next.release(1, 100);
  await leases.release(1, 100);
  assert.is((await leases.acquire(1, 130)).idleMs, 30);
  await leases.release(1, 200);
  assert.is((await leases.acquire(1, 150)).idleMs, 0);
});

test.run();
