import pg from 'pg';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { EdictError } from '../../../src/model/errors.ts';
import { bindQuery } from '../../../src/store/database.ts';
import { postgresEngine } from '../../../src/store/postgres/open.ts';
import { eventually } from '../../support/eventually.ts';
import { type PostgresServer, postgresServer } from '../../support/postgres.ts';
import { gatewaySettings } from '../../support/states.ts';

const { openFill, openSnapshot, openStore } = postgresEngine;

const test = suite('stores in PostgreSQL');
const gateway = gatewaySettings();
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
  const store = await openStore({ url, isEmulated: false });
  await store.acquire(gateway, 0);
  await store.release(gateway, 0);
  await store.close();
  sessions = [];
});
test.after.each(async () => {
  for (const one of sessions) await one.end();
});

/** Returns a connection of the test's own. */
async function session(at: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: at });
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

test('taking a lease or adding a gateway waits while a store is being filled, and then sees the copy', async () => {
  const target = await server.database();
  const store = await openStore({ url: target, isEmulated: false });
  const copying = await openFill(target, 'real');
  const entering = store.acquire(gateway, 1);
  sql = await session(target);
  await eventually(() => waiting(1), 60_000, 'it waits');
  const from = await openSnapshot(url);
  const [row] = await from.read(bindQuery(from.queries.rowsOfGateway, { after: 0, limit: 1 }));
  await copying.run(bindQuery(copying.queries.copyGateway, { ...(row as never as Record<'id', number>), fence: 7 } as never));
  await copying.run(bindQuery(copying.queries.continueGateway, {}));
  await copying.commit();
  await copying.close();
  assert.is((await entering).lease.fence, 8);
  assert.is((await sql.query('SELECT FROM edict.gateway')).rowCount, 1);
  await Promise.all([store.close(), from.close()]);
});

test('a store that another process is filling is rejected', async () => {
  const copying = await openFill(url, 'real');
  assert.is(await openFill(url, 'real').then(String, code), 'STORE_LOCKED');
  await copying.close();
  await (await openFill(url, 'real')).close();
});

test('a snapshot ends with its connection, and so does a copy, which leaves nothing', async () => {
  const target = await server.database();
  const [snapshot, copying] = [await openSnapshot(url), await openFill(target, 'real')];
  await copying.run(bindQuery(copying.queries.insertGateway, gateway));
  sql = await session(target);
  // The server is shared, so databases of other tests are ignored.
  const own = [url, target].map((of) => new URL(of).pathname.slice(1));
  await sql.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'edict' AND datname = ANY ($1)", [own]);
  const select = { query: { sql: 'SELECT 1', parameters: [] }, values: [] };
  for (const use of [() => snapshot.read(select), () => copying.run(select), () => copying.commit()]) {
    assert.is(await use().then(String, code), 'STORE_UNREACHABLE');
    assert.is(await use().then(String, code), 'STORE_UNREACHABLE');
  }
  assert.is((await sql.query('SELECT FROM edict.gateway')).rowCount, 0);
  await Promise.all([snapshot.close(), copying.close()]);
});

test.run();
