import { DatabaseSync } from 'node:sqlite';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { step } from '../../src/store/database.ts';
import { OwnLeases } from '../../src/store/leases.ts';
import { SqliteDatabase } from '../../src/store/sqlite-database.ts';
import { createSchema } from '../../src/store/sqlite-schema.ts';

async function opened() {
  const db = new DatabaseSync(':memory:');
  createSchema(db);
  const database = new SqliteDatabase(db, 'state.db');
  await database.write([step(database.queries.insertGateway, { endpoint: 'e', project: 'p', instance: 'i' })]);
  return { database, leases: new OwnLeases(database) };
}

test('a lease is had from when it is taken until it is given back, with a fence that grows', async () => {
  const { leases } = await opened();
  assert.is(leases.fenceOf(1), null);
  const { lease } = await leases.take(1, 10);
  assert.equal([lease.fence, leases.fenceOf(1), lease.isHeld()], [1, 1, true]);
  await leases.give(1, 20);
  assert.is(leases.fenceOf(1), null);
  assert.is((await leases.take(1, 30)).lease.fence, 2);
});

test('it tells how long nobody can have called: not at all after one who never left, nor where the clock was set back', async () => {
  const { database, leases } = await opened();
  const next = new OwnLeases(database);
  await leases.take(1, 10);
  assert.is((await next.take(1, 50)).silentMs, 0);
  await next.give(1, 100);
  await leases.give(1, 100);
  assert.is((await leases.take(1, 130)).silentMs, 30);
  await leases.give(1, 200);
  assert.is((await leases.take(1, 150)).silentMs, 0);
});

test.run();
