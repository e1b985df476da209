import type pg from 'pg';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { EdictError } from '../../../src/model/errors.ts';
import { openReadonly, openShared, openSnapshot, openStore } from '../../../src/store/open.ts';
import { connect } from '../../../src/store/postgres/connection.ts';
import { createPostgresSchema, readPostgresFormat } from '../../../src/store/postgres/schema.ts';
import { type PostgresServer, postgresServer } from '../../support/postgres.ts';
import { gatewaySettings } from '../../support/states.ts';

const test = suite('schema of PostgreSQL');
let server: PostgresServer;
let url: string;
let client: pg.Client;
test.before(async () => {
  server = await postgresServer();
});
test.after(() => server.close());
test.before.each(async () => {
  url = await server.database();
  client = await connect({ url, applicationName: 'test' });
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

test('any number of instances may create the tables of one database at once', async () => {
  assert.is(await readPostgresFormat(client), 0);
  const opening = Array.from({ length: 5 }, () => code(openStore({ url, isEmulated: false })));
  assert.equal(await Promise.all(opening), Array(5).fill('opened'));
  assert.is(await readPostgresFormat(client), 1);
  await createPostgresSchema(client);
  assert.is(await readPostgresFormat(client), 1, 'existing tables are not changed');
});

test('an interrupted creation leaves nothing', async () => {
  await client.query("CREATE SCHEMA edict; CREATE FUNCTION edict.must_hold(bigint, bigint) RETURNS int LANGUAGE sql AS 'SELECT 1'");
  const failed = await createPostgresSchema(client).then(
    () => null,
    (error: unknown) => error,
  );
  assert.ok(failed);
  assert.is(await readPostgresFormat(client), 0);
});

test('a store of another format, of another program or of another kind is rejected everywhere, and not changed', async () => {
  const everyWay = [
    () => openStore({ url, isEmulated: false }),
    () => openReadonly({ url }),
    () => openShared(url),
    () => openSnapshot(url),
  ];
  await (await openStore({ url, isEmulated: false })).close();
  assert.is(await code(openStore({ url, isEmulated: true })), 'STORE_KIND_MISMATCH');
  for (const format of ['2', '999']) {
    await client.query("UPDATE edict.setting SET value = $1 WHERE name = 'format'", [format]);
    for (const open of everyWay) assert.is(await code(open()), 'STORE_FORMAT');
    const refused = await openStore({ url, isEmulated: false }).catch((error: unknown) => error);
    assert.instance(refused, EdictError);
    const { message, hint } = refused as EdictError;
    assert.match(message, new RegExp(`the store postgres://.*${new URL(url).pathname} has format ${format}, .* format 1 only`));
    assert.match(hint ?? '', '--state');
    const { rows } = await client.query("SELECT value FROM edict.setting WHERE name = 'format'");
    assert.equal(rows, [{ value: format }]);
  }
  await client.query('DROP SCHEMA edict CASCADE; CREATE SCHEMA edict; CREATE TABLE edict.mine (x int)');
  for (const open of everyWay) assert.is(await code(open()), 'STORE_UNRECOGNIZED');
});

test('reading a database without a store creates nothing in it', async () => {
  const record = await openReadonly({ url });
  assert.is((await record.readRecordedState(gatewaySettings())).size, 0);
  await record.close();
  assert.is(await readPostgresFormat(client), 0);
  assert.is(await code(openShared(url)), 'STORE_NOT_FOUND');
});

test('a user who may not create the tables is told which privilege is missing', async () => {
  const role = `edict_reader_${process.pid}`;
  await client.query(`CREATE ROLE ${role} LOGIN PASSWORD 'geheim'`);
  const address = new URL(url);
  address.username = role;
  address.password = 'geheim';
  assert.is(await code(openStore({ url: address.href, isEmulated: false })), 'STORE_READ_ONLY');
  await client.query(`DROP ROLE ${role}`);
});

test('a user who owns the schema edict needs no privilege on the database', async () => {
  const role = `edict_owner_${process.pid}`;
  await client.query(`CREATE ROLE ${role} LOGIN PASSWORD 'geheim'; CREATE SCHEMA edict AUTHORIZATION ${role}`);
  const address = new URL(url);
  address.username = role;
  address.password = 'geheim';
  assert.is(await code(openStore({ url: address.href, isEmulated: false })), 'opened');
  assert.is(await readPostgresFormat(client), 1);
  await client.query(`DROP OWNED BY ${role} CASCADE; DROP ROLE ${role}`);
});

test.run();
