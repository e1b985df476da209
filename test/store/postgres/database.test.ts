import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { EdictError } from '../../../src/model/errors.ts';
import { bindQuery, type SqlValue, type Statement } from '../../../src/store/database.ts';
import { openStore } from '../../../src/store/open.ts';
import { PostgresDatabase } from '../../../src/store/postgres/database.ts';
import { type PostgresServer, postgresServer } from '../../support/postgres.ts';

const test = suite('a PostgreSQL database');
let server: PostgresServer;
let database: PostgresDatabase;
let url: string;
test.before(async () => {
  server = await postgresServer();
});
test.after(() => server.close());
test.before.each(async () => {
  url = await server.database();
  await (await openStore({ url, isEmulated: false })).close();
  database = new PostgresDatabase(url);
});
test.after.each(() => database.close());

const raw = (sql: string, ...values: readonly SqlValue[]): Statement => ({ query: { sql, parameters: [] }, values });
const setting = (name: string, value: string): Statement => bindQuery(database.queries.insertSetting, { name, value });
const read = async (name: string): Promise<unknown> =>
  (await database.read(bindQuery(database.queries.readSetting, { name })))[0]?.['value'];

test('concurrent writes share one transaction', async () => {
  const writes = Array.from({ length: 50 }, (_, index) => database.write([setting(`n${index}`, 'x'), raw('SELECT txid_current() AS id')]));
  const ids = (await Promise.all(writes)).map(([, rows]) => rows?.[0]?.['id']);
  assert.is(new Set(ids).size, 1);
});

test('a failed write leaves nothing of its transaction, and the next one succeeds', async () => {
  const failed = await Promise.allSettled([
    database.write([setting('a', '1')]),
    database.write([raw('SELECT 1/0')]),
    database.write([setting('b', '2')]),
  ]);
  assert.equal(
    failed.map((one) => (one.status === 'rejected' ? (one.reason as EdictError).code : 'written')),
    Array(3).fill('STORE_FAILED'),
  );
  assert.equal([await read('a'), await read('b')], [undefined, undefined]);
  await database.write([setting('a', '1')]);
  assert.is(await read('a'), '1');
});

test('writes under another guard do not fail with one that does', async () => {
  const [bad, good] = await Promise.allSettled([
    database.writeIf(raw('SELECT 1 / $1::int', 0), [setting('a', '1')]),
    database.writeIf(raw('SELECT 1 / $1::int', 1), [setting('b', '2')]),
  ]);
  assert.equal([bad?.status, good?.status, await read('a'), await read('b')], ['rejected', 'fulfilled', undefined, '2']);
});

test('a query right behind a failed transaction is answered, even if its statement was to be prepared in it', async () => {
  const asked = bindQuery(database.queries.readSetting, { name: 'a' });
  const failing = database.writeIf(raw('SELECT 1 / 0'), [asked]);
  await nextTurn();
  const [failed, ...others] = await Promise.allSettled([failing, database.read(asked), database.write([asked]), database.read(asked)]);
  assert.is(failed?.status, 'rejected');
  assert.equal(
    others.map((one) => (one.status === 'fulfilled' ? 'fulfilled' : one.reason.message)),
    Array(3).fill('fulfilled'),
  );
});

test('each write gets what its own statements returned', async () => {
  const returned = await Promise.all([
    database.write([raw('SELECT 1 AS n'), raw('SELECT 2 AS n')]),
    database.writeIf(raw('SELECT $1::int', 7), [raw('SELECT 3 AS n')]),
  ]);
  assert.equal(returned, [[[{ n: 1 }], [{ n: 2 }]], [[{ n: 3 }]]]);
});

test('a text that PostgreSQL cannot store is written without the characters in question', async () => {
  await database.write([setting('nul', 'a\0b')]);
  assert.is(await read('nul'), 'a\uFFFDb');
});

test('it works again after a restart of the server, and every write meanwhile either fails or is written', async () => {
  await database.write([setting('before', '1')]);
  await server.restart();
  assert.is(await read('before'), '1');
  await database.write([setting('after', '2')]);
  assert.is(await read('after'), '2');
});

test('a lost connection leaves nothing behind, however often it is lost while in use', async () => {
  const other = new PostgresDatabase(url);
  const others = `FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`;
  for (let times = 0; times < 20; times += 1) {
    let isEnded = false;
    const ended = other.read(raw(`SELECT pg_terminate_backend(pid) ${others}`)).finally(() => {
      isEnded = true;
    });
    const reads: Promise<unknown>[] = [];
    while (!isEnded) {
      // A query in flight may fail.
      reads.push(read('a').catch(() => null));
      await nextTurn();
    }
    await Promise.all([ended, ...reads]);
  }
  await database.close();
  const count = async (): Promise<unknown> => (await other.read(raw(`SELECT count(*)::int AS n ${others}`)))[0]?.['n'];
  // A server ends a connection a moment after its client.
  const untilMs = performance.now() + 10_000;
  while ((await count()) !== 0 && performance.now() < untilMs) await sleep(20);
  assert.is(await count(), 0);
  await other.close();
});

test('a snapshot stays as it was, and cannot be read over another connection', async () => {
  await database.write([setting('a', '1')]);
  await database.begin(['BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY', 'SELECT now()']);
  const other = new PostgresDatabase(url);
  await other.write([setting('b', '2')]);
  assert.equal([await read('a'), await read('b')], ['1', undefined]);
  await other.read(
    raw(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`),
  );
  const messageOf = (error: EdictError): string => `${error.code} ${error.hint}`;
  for (let tries = 0; tries < 3; tries += 1) assert.match(await read('b').then(String, messageOf), 'STORE_UNREACHABLE');
  assert.match(await read('b').then(String, messageOf), 'run the same');
  await other.close();
});

test('a query after the database was closed is rejected', async () => {
  await database.close();
  const code = (error: EdictError): string => error.code;
  assert.is(await read('a').catch(code), 'STORE_UNREACHABLE');
  assert.is(await database.write([setting('a', '1')]).then(String, code), 'STORE_UNREACHABLE');
});

test.run();
