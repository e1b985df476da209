import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { EdictError } from '../../src/core/errors.ts';
import { shownAddress } from '../../src/core/store-address.ts';
import { closedOf } from '../../src/store/closed.ts';
import { openRecord, openStore, openWhole } from '../../src/store/open-store.ts';
import { backUp, listGateways, moveRecord } from '../../src/store/whole-store.ts';
import { scratchFolder } from '../support/edict-process.ts';
import { type PostgresServer, postgresServer } from '../support/postgres.ts';
import { change, gatewaySettings, recorded } from '../support/states.ts';

const test = suite('a whole store');
const gateway = gatewaySettings();
let server: PostgresServer;
test.before(async () => {
  server = await postgresServer();
});
test.after(() => server.close());

const sqlite = async (): Promise<string> => `sqlite:${join(scratchFolder(), 'state.db')}`;
const postgres = (): Promise<string> => server.database();
const code = (error: unknown): string => (error as EdictError).code;

/** Writes a record with something in each table. */
async function written(url: string): Promise<void> {
  const store = await openStore({ url, emulated: false });
  await store.enter(gateway, 0);
  for (const api of ['orders', 'carts']) {
    const made = change(api, 'test');
    const id = await store.begin(gateway, made, { passId: 'pass', marker: 'marker', commitId: 'commit', atMs: 1 });
    const outcome = { kind: 'succeeded', versionId: 'version', publishId: 'publish' } as const;
    if (api === 'orders') await store.settle(gateway, made.key, id, outcome, recorded(api, 'test', { revision: '7\u2028é' }), 2);
  }
  await store.remember(gateway, new Map([['api\u0000orders' as never, 'api-orders']]));
  await store.declare(gateway, new Map([[change('orders', 'test').key, 'apis/shop.yaml']]), 'digest', null);
  await store.leave(gateway, 5);
  await store.close();
}

/** Returns all that a record says. */
async function contentOf(url: string) {
  const record = await openRecord({ url });
  const names = [...(await record.names(gateway)).values()];
  const content = [await record.readAll(gateway), await record.history(gateway, { limit: 10 }), await record.past(gateway, 0), names];
  await record.close();
  return content;
}

for (const [what, from, to] of [
  ['SQLite to PostgreSQL', sqlite, postgres],
  ['PostgreSQL to SQLite', postgres, sqlite],
  ['SQLite to SQLite', sqlite, sqlite],
  ['PostgreSQL to PostgreSQL', postgres, postgres],
] as const) {
  test(`moves from ${what}: everything is there, goes on, and the old store sends to the new one`, async () => {
    const [old, next] = [await from(), await to()];
    await written(old);
    const before = await contentOf(old);
    assert.equal(await moveRecord(old, next), { gateways: 1, publications: 2, attempts: 2 });
    assert.equal(await contentOf(next), before);
    for (const use of [() => openRecord({ url: old }), () => openStore({ url: old, emulated: false }), () => listGateways(old)]) {
      assert.is(await use().then(String, code), 'STORE_CLOSED');
    }
    const store = await openStore({ url: next, emulated: false });
    const { lease } = await store.enter(gateway, 10);
    assert.is(lease.fence, 2, 'the fence grows on');
    const id = await store.begin(gateway, change('invoices', 'test'), { passId: 'pass', marker: null, commitId: null, atMs: 11 });
    assert.is(id, 3, 'attempts are numbered on');
    await store.leave(gateway, 12);
    await store.close();
    assert.equal(await moveRecord(next, old), { gateways: 1, publications: 3, attempts: 3 });
    assert.is((await contentOf(old))[1]?.constructor, Array);
  });
}

for (const [name, make] of [
  ['sqlite', sqlite],
  ['postgres', postgres],
] as const) {
  test(`${name}: is backed up while an edict works with it, which goes on`, async () => {
    const [url, copy] = [await make(), await sqlite()];
    await written(url);
    const store = await openStore({ url, emulated: false });
    await store.enter(gateway, 10);
    const before = await contentOf(url);
    assert.equal(await backUp(url, copy), { gateways: 1, publications: 2, attempts: 2 });
    assert.equal(await contentOf(copy), before);
    await store.begin(gateway, change('invoices', 'test'), { passId: 'pass', marker: null, commitId: null, atMs: 11 });
    await store.close();
    assert.is(await backUp(url, copy).then(String, code), 'STORE_NOT_EMPTY');
  });

  test(`${name}: is not moved while an edict works with it, nor into what holds a record, nor into itself`, async () => {
    const [url, other] = [await make(), await sqlite()];
    await written(url);
    await written(other);
    assert.is(await moveRecord(url, other).then(String, code), 'STORE_NOT_EMPTY');
    assert.is(await moveRecord(url, url).then(String, code), 'OPTION');
    const store = await openStore({ url, emulated: false });
    await store.enter(gateway, 10);
    assert.is(await moveRecord(url, await sqlite()).then(String, code), 'STORE_LOCKED');
    await store.close();
    assert.is((await listGateways(url))[0]?.attempts, 2, 'nothing has happened to it');
  });

  test(`${name}: a move that was cut off leaves two stores that nobody uses, and is made again as a whole`, async () => {
    const [url, target] = [await sqlite(), await make()];
    await written(url);
    const before = await contentOf(url);
    const [source, half] = [await openWhole(url, null), await openWhole(target, 'real')];
    const { close } = await import('../../src/store/closed.ts');
    await close(half, { why: 'copying', at: url });
    await close(source, { why: 'moved', at: shownAddress(target) });
    await half.write([{ query: half.queries.insertGateway, values: ['https://roma.example.com', 'p', 'i'] }]);
    await Promise.all([source.close(), half.close()]);
    for (const one of [url, target]) assert.is(await openStore({ url: one, emulated: false }).then(String, code), 'STORE_CLOSED');
    await moveRecord(url, target);
    assert.equal(await contentOf(target), before);
    const moved = await openWhole(url, null);
    assert.is((await closedOf(moved))?.why, 'moved');
    await moved.close();
  });

  test(`${name}: one that is not there is not made`, async () => {
    const url = await make();
    assert.is(await listGateways(url).then(String, code), 'STORE_ABSENT');
    assert.is(await moveRecord(url, await sqlite()).then(String, code), 'STORE_ABSENT');
  });
}

test('a lease is not taken in a store that was moved, also by an edict that has it open', async () => {
  const url = await postgres();
  await written(url);
  const store = await openStore({ url, emulated: false });
  await moveRecord(url, await sqlite());
  assert.is(await store.enter(gateway, 10).then(String, code), 'GATEWAY_HELD');
  await store.close();
});

test.run();
