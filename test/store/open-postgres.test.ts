import pg from 'pg';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { EdictError } from '../../src/core/errors.ts';
import { systemClock } from '../../src/engine/system-clock.ts';
import { close, closedOf } from '../../src/store/closed.ts';
import { step } from '../../src/store/database.ts';
import { openBeside, openSnapshot, openStore, openWhole } from '../../src/store/open-postgres.ts';
import { PostgresDatabase } from '../../src/store/postgres-database.ts';
import { PostgresLeases } from '../../src/store/postgres-leases.ts';
import { moveRecord } from '../../src/store/whole-store.ts';
import { eventually } from '../support/eventually.ts';
import { type PostgresServer, postgresServer } from '../support/postgres.ts';
import { change, gatewaySettings } from '../support/states.ts';

const test = suite('stores in PostgreSQL');
const gateway = gatewaySettings();
const about = { passId: 'pass', marker: null, commitId: null, atMs: 1 };
const moved = { why: 'moved', at: 'sqlite:/new.db' } as const;
let server: PostgresServer;
let url: string;
let sessions: pg.Client[];
let sql: pg.Client;
test.before(async () => {
  server = await postgresServer();
});
test.after(() => server.close());
test.before.each(async () => {
  url = await server.database();
  const store = await openStore({ url, emulated: false });
  await store.enter(gateway, 0);
  await store.leave(gateway, 0);
  await store.close();
  sessions = [];
  sql = await session();
});
test.after.each(async () => {
  for (const one of sessions) await one.end();
});

/** Returns a connection of the test's own. */
async function session(): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url });
  sessions.push(client.on('error', () => {}));
  await client.connect();
  return client;
}

const code = (error: unknown): string => (error as EdictError).code;
/** Whether `count` connections wait for the table of gateways. */
const waiting = async (count: number): Promise<boolean> => {
  const { rows } = await sql.query("SELECT FROM pg_locks WHERE NOT granted AND relation = 'edict.gateway'::regclass");
  return rows.length === count;
};

test('a store in which a lease was taken since it was opened as a whole is not closed', async () => {
  const whole = await openWhole(url, null);
  const store = await openStore({ url, emulated: false });
  await store.enter(gateway, 1);
  const refused = await close(whole, moved).then(String, (error: EdictError) => `${error.code}: ${error.message}`);
  assert.match(refused, /^STORE_LOCKED: the store .* is in use: .*, pid \d+/);
  assert.is(await closedOf(whole), null);
  await store.begin(gateway, change('orders', 'test'), about);
  await Promise.all([store.close(), whole.close()]);
});

test('what is being written under a lease that has just lapsed is waited for, and is there when the store is closed; nothing comes after', async () => {
  const database = new PostgresDatabase(url);
  const leases = new PostgresLeases(database, { url, holder: 'slow', leaseMs: 3_600_000, clock: systemClock });
  const { lease } = await leases.take(1, 1, false);
  const writer = await session();
  await writer.query('BEGIN');
  await writer.query('SELECT edict.must_hold(1, $1)', [lease.fence]);
  await writer.query("INSERT INTO edict.name VALUES (1, 'late', 'x')");
  await writer.query("UPDATE edict.gateway SET held_until = '-infinity'");
  const closing = openWhole(url, null).then(async (whole) => {
    await close(whole, moved);
    const names = await whole.read(step(whole.queries.names, { gateway: 1 }));
    await whole.close();
    return names.length;
  });
  await eventually(() => waiting(1), 10_000, 'it waits for the writer');
  await writer.query('COMMIT');
  assert.is(await closing, 1);
  const late = [step(database.queries.describe, { gateway: 1, condition: 'late' })];
  assert.is(await leases.write(1, late).then(String, code), 'GATEWAY_HELD');
  const { rows } = await sql.query('SELECT holder, held_until, condition FROM edict.gateway');
  assert.equal(rows, [{ holder: null, held_until: null, condition: null }], 'there is nothing to renew');
  assert.is(await leases.take(1, 2, false).then(String, code), 'STORE_CLOSED');
  await leases.close();
  await database.close();
});

for (const level of ['read committed', 'repeatable read', 'serializable']) {
  test(`a lease that is asked for while the store is being closed is not had: ${level}`, async () => {
    await sql.query(`ALTER DATABASE ${new URL(url).pathname.slice(1)} SET default_transaction_isolation = '${level}'`);
    const store = await openStore({ url, emulated: false });
    await store.suspend(gateway, null);
    const whole = await openWhole(url, null);
    const holding = await session();
    await holding.query('BEGIN; LOCK TABLE edict.gateway IN ROW SHARE MODE');
    const closing = close(whole, moved);
    await eventually(() => waiting(1), 10_000, 'the closing waits');
    const entering = store.enter(gateway, 1).then(String, code);
    await eventually(() => waiting(2), 10_000, 'who asks for the lease waits behind it');
    await holding.query('COMMIT');
    await closing;
    assert.ok(['STORE_CLOSED', 'STORE_FAILED'].includes(await entering));
    assert.is(await store.enter(gateway, 1).then(String, code), 'STORE_CLOSED');
    assert.is((await sql.query('SELECT FROM edict.gateway WHERE holder IS NOT NULL')).rowCount, 0);
    await Promise.all([store.close(), whole.close()]);
  });
}

test('an edict that has a store open when it is moved is told where the record is, and leaves no trace in the old one', async () => {
  const store = await openStore({ url, emulated: false });
  await store.suspend(gateway, null);
  const next = await server.database();
  await moveRecord(url, next);
  const told = (error: EdictError): string => `${error.code}: ${error.message}`;
  const suspension = { reason: 'CHG-7', by: 'ada', untilMs: null };
  for (const use of [
    () => store.enter(gateway, 10),
    () => store.enter(gateway, 10, true),
    () => store.enter({ ...gateway, instance: 'new' }, 10),
    () => store.suspend(gateway, suspension),
    () => openBeside(url),
  ]) {
    assert.match(await use().then(String, told), /^STORE_CLOSED: the record of the store .* was moved to postgres:/);
  }
  const left = await sql.query(
    'SELECT (SELECT count(*) FROM edict.wish) AS wishes, count(*) AS gateways, max(suspension) AS word FROM edict.gateway',
  );
  assert.equal(left.rows, [{ wishes: '0', gateways: '1', word: null }]);
  await moveRecord(next, url);
  await store.enter(gateway, 20, true);
  await store.begin(gateway, change('orders', 'test'), about);
  await store.close();
});

test('a look at a whole store ends with its connection, and so does having it alone', async () => {
  const snapshot = await openSnapshot(url);
  const whole = await openWhole(url, null);
  await sql.query(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'edict' AND datname = current_database()",
  );
  for (const database of [snapshot, whole]) {
    const again = () => database.read({ query: { sql: 'SELECT 1', parameters: [] }, values: [] }).then(String, code);
    assert.is(await again(), 'STORE_UNREACHABLE');
    assert.is(await again(), 'STORE_UNREACHABLE');
    await database.close();
  }
  await (await openWhole(url, null)).close();
});

test.run();
