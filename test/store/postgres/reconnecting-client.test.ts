import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ReconnectingClient } from '../../../src/store/postgres/connection.ts';
import { eventually } from '../../support/eventually.ts';
import { type PostgresServer, postgresServer } from '../../support/postgres.ts';

const test = suite('reconnecting client');
let server: PostgresServer;
let url: string;

test.before(async () => {
  server = await postgresServer();
  url = await server.database();
});
test.after(() => server.close());

test('it keeps one connection while it works, opens a new one when it is lost, and leaves nothing of either', async () => {
  const [kept, looking] = [
    new ReconnectingClient({ url, applicationName: 'kept' }),
    new ReconnectingClient({ url, applicationName: 'looking' }),
  ];
  const connections = "FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'kept'";
  const count = async (): Promise<number> => (await (await looking.open()).query(`SELECT count(*)::int AS n ${connections}`)).rows[0].n;
  assert.is(kept.current, null);
  const first = kept.open();
  assert.is(kept.open(), first);
  assert.is(kept.current, first);
  const client = await first;
  client.emit('error', new Error('lost'));
  assert.is(kept.current, null);
  const second = kept.open();
  await second;
  await client.end();
  assert.is(kept.current, second, 'the end of the previous one is reported when another one is open');
  await (await looking.open()).query(`SELECT pg_terminate_backend(pid) ${connections}`);
  await eventually(() => kept.current === null, 60_000, 'it is known to be lost');
  await kept.open();
  await kept.close();
  await eventually(async () => (await count()) === 0, 60_000, 'both are closed');
  await looking.close();
});

test('a connection that cannot be opened is tried again the next time', async () => {
  const kept = new ReconnectingClient({ url: 'postgres://127.0.0.1:1/none', applicationName: 'kept' });
  for (let tries = 0; tries < 2; tries += 1) {
    assert.is(await kept.open().then(String, ({ code }: { readonly code: string }) => code), 'STORE_UNREACHABLE');
    assert.is(kept.current, null);
  }
  await kept.close();
});

test.run();
