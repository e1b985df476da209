import type pg from 'pg';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { EdictError } from '../../src/core/errors.ts';
import { openBeside, openRecord, openStore } from '../../src/store/open-store.ts';
import { connect } from '../../src/store/postgres-connection.ts';
import { currentFormat, migrate, storeState } from '../../src/store/postgres-migrations.ts';
import { type PostgresServer, postgresServer } from '../support/postgres.ts';
import { change, gatewaySettings } from '../support/states.ts';

const test = suite('migrations of PostgreSQL');
let server: PostgresServer;
let url: string;
let client: pg.Client;
test.before(async () => {
  server = await postgresServer();
});
test.after(() => server.close());
test.before.each(async () => {
  url = await server.database();
  client = await connect({ url, name: 'test' });
});
test.after.each(() => client.end());

const code = (opening: Promise<{ close(): Promise<void> }>): Promise<string> =>
  opening.then(
    async (store) => {
      await store.close();
      return 'opened';
    },
    (error: EdictError) => error.code,
  );

test('any number of edicts may bring one database up to date at once', async () => {
  assert.equal(await storeState(client), { kind: 'edict', format: 0 });
  const opening = Array.from({ length: 5 }, () => code(openStore({ url, emulated: false })));
  assert.equal(await Promise.all(opening), Array(5).fill('opened'));
  assert.equal(await storeState(client), { kind: 'edict', format: currentFormat });
  await migrate(client);
});

test('a migration that is interrupted never happened', async () => {
  await client.query("CREATE SCHEMA edict; CREATE FUNCTION edict.must_hold(bigint, bigint) RETURNS int LANGUAGE sql AS 'SELECT 1'");
  const failed = await migrate(client).then(
    () => null,
    (error: unknown) => error,
  );
  assert.ok(failed);
  assert.equal(await storeState(client), { kind: 'edict', format: 0 });
});

test('a newer store, one of somebody else, and one of another kind are refused by everything, and not changed', async () => {
  const everyWay = [() => openStore({ url, emulated: false }), () => openRecord({ url }), () => openBeside(url)];
  await (await openStore({ url, emulated: false })).close();
  assert.is(await code(openStore({ url, emulated: true })), 'STORE_KIND');
  await client.query("UPDATE edict.setting SET value = '999' WHERE name = 'format'");
  for (const open of everyWay) assert.is(await code(open()), 'STORE_NEWER');
  await client.query('DROP SCHEMA edict CASCADE; CREATE SCHEMA edict; CREATE TABLE edict.mine (x int)');
  for (const open of everyWay) assert.is(await code(open()), 'STORE_FOREIGN');
});

test('to look at a database in which edict has never been makes nothing there', async () => {
  const record = await openRecord({ url });
  assert.is((await record.readAll(gatewaySettings())).size, 0);
  await record.close();
  assert.equal(await storeState(client), { kind: 'edict', format: 0 });
  assert.is(await code(openBeside(url)), 'STORE_OLDER');
});

test('a user who may not make the tables is told what is missing', async () => {
  const role = `edict_reader_${process.pid}`;
  await client.query(`CREATE ROLE ${role} LOGIN PASSWORD 'geheim'`);
  const address = new URL(url);
  address.username = role;
  address.password = 'geheim';
  assert.is(await code(openStore({ url: address.href, emulated: false })), 'STORE_READ_ONLY');
  await client.query(`DROP ROLE ${role}`);
});

test('a user whose own the schema edict is needs no right on the database', async () => {
  const role = `edict_owner_${process.pid}`;
  await client.query(`CREATE ROLE ${role} LOGIN PASSWORD 'geheim'; CREATE SCHEMA edict AUTHORIZATION ${role}`);
  const address = new URL(url);
  address.username = role;
  address.password = 'geheim';
  assert.is(await code(openStore({ url: address.href, emulated: false })), 'opened');
  assert.equal(await storeState(client), { kind: 'edict', format: currentFormat });
  await client.query(`DROP OWNED BY ${role} CASCADE; DROP ROLE ${role}`);
});

test('a step may take from edicts that go on running what every write begins with', async () => {
  const store = await openStore({ url, emulated: false });
  await store.enter(gatewaySettings(), 0);
  await client.query('ALTER FUNCTION edict.must_hold(bigint, bigint) RENAME TO must_hold_of_old');
  const attempt = { passId: 'pass', marker: null, commitId: null, atMs: 1 };
  const written = await store.begin(gatewaySettings(), change('orders', 'test'), attempt).then(String, (error: EdictError) => error.code);
  assert.is(written, 'STORE_FAILED');
  await store.close();
});

test.run();
