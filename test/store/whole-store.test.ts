import pg from 'pg';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { EdictError } from '../../src/core/errors.ts';
import { shownAddress } from '../../src/core/store-address.ts';
import { closedOf } from '../../src/store/closed.ts';
import { openRecord, openStore, openWhole } from '../../src/store/open-store.ts';
import { backUp, listGateways, moveRecord } from '../../src/store/whole-store.ts';
import { change, gatewaySettings, recorded } from '../support/states.ts';
import { storeEngines } from '../support/store-engines.ts';

const test = suite('a whole store');
const gateway = gatewaySettings();
const engines = storeEngines(test);
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

/** What an edict that was killed leaves in a store that several share. */
async function killedIn(url: string): Promise<void> {
  if (!url.startsWith('postgres')) return;
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query("INSERT INTO edict.wish SELECT id, 'killed', now() - interval '1 day' FROM edict.gateway");
  await client.end();
}

for (const [from, to] of engines.flatMap((from) => engines.map((to) => [from, to] as const))) {
  test(`moves from ${from.name} to ${to.name}: everything is there, goes on, and the old store sends to the new one`, async () => {
    const [old, next] = [await from.make(), await to.make()];
    await written(old);
    await killedIn(old);
    const before = await contentOf(old);
    assert.equal(await moveRecord(old, next), { gateways: 1, publications: 2, attempts: 2 });
    assert.equal(await contentOf(next), before);
    for (const use of [
      () => openRecord({ url: old }),
      () => openStore({ url: old, emulated: false }),
      () => listGateways(old),
      () => backUp(old, next),
      () => moveRecord(old, next),
    ]) {
      assert.is(await use().then(String, code), 'STORE_CLOSED');
    }
    assert.is(await backUp(next, old).then(String, code), 'STORE_CLOSED', 'a copy does not bring it back');
    assert.is(await openStore({ url: old, emulated: false }).then(String, code), 'STORE_CLOSED');
    const store = await openStore({ url: next, emulated: false });
    const { lease } = await store.enter(gateway, 10);
    assert.is(lease.fence, 2, 'the fence grows on');
    const id = await store.begin(gateway, change('invoices', 'test'), { passId: 'pass', marker: null, commitId: null, atMs: 11 });
    assert.is(id, 3, 'attempts are numbered on');
    await store.leave(gateway, 12);
    await store.close();
    assert.equal(await moveRecord(next, old), { gateways: 1, publications: 3, attempts: 3 });
    const record = await openRecord({ url: old });
    assert.is((await record.history(gateway, { limit: 10 })).length, 3);
    await record.close();
  });
}

for (const { name, make } of engines) {
  test(`${name}: is backed up while an edict works with it, which goes on`, async () => {
    const [url, copy] = [await make(), await make()];
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
    const [url, other] = [await make(), await make()];
    await written(url);
    await written(other);
    assert.is(await moveRecord(url, other).then(String, code), 'STORE_NOT_EMPTY');
    assert.is(await moveRecord(url, url).then(String, code), 'OPTION');
    const store = await openStore({ url, emulated: false });
    await store.enter(gateway, 10);
    assert.is(await moveRecord(url, await make()).then(String, code), 'STORE_LOCKED');
    await store.close();
    assert.is((await listGateways(url))[0]?.attempts, 2, 'nothing has happened to it');
  });

  test(`${name}: a move that was cut off leaves two stores that nobody uses, and is made again as a whole`, async () => {
    const [url, target] = [await make(), await make()];
    await written(url);
    const before = await contentOf(url);
    const [source, half] = [await openWhole(url, null), await openWhole(target, 'real')];
    const { close } = await import('../../src/store/closed.ts');
    await half.write([{ query: half.queries.insertGateway, values: ['https://roma.example.com', 'p', 'i'] }]);
    await close(half, { why: 'copying', at: shownAddress(url) });
    await close(source, { why: 'moved', at: shownAddress(target) });
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
    assert.is(await moveRecord(url, await make()).then(String, code), 'STORE_ABSENT');
  });

  test(`${name}: a move that fails in the middle leaves the old store as it was, and the new one closed until it is made again`, async () => {
    const [url, target] = [await make(), await make()];
    await written(url);
    const before = await contentOf(url);
    const whole = await openWhole(target, 'real');
    const table = name === 'postgres' ? 'edict.attempt' : 'attempt';
    const raw = (sql: string) => whole.write([{ query: { sql, parameters: [] }, values: [] }]);
    await raw(`alter table ${table} rename column marker to other`);
    await whole.close();
    assert.is(await moveRecord(url, target).then(String, code), 'STORE_FAILED');
    assert.equal(await contentOf(url), before);
    assert.is(await openStore({ url: target, emulated: false }).then(String, code), 'STORE_CLOSED');
    const mended = await openWhole(target, 'real');
    await mended.write([{ query: { sql: `alter table ${table} rename column other to marker`, parameters: [] }, values: [] }]);
    await mended.close();
    await moveRecord(url, target);
    assert.equal(await contentOf(target), before);
  });

  test(`${name}: one alone has a store as a whole`, async () => {
    const url = await make();
    const whole = await openWhole(url, 'real');
    assert.is(await openWhole(url, 'real').then(String, code), 'STORE_LOCKED');
    await whole.close();
    await (await openWhole(url, 'real')).close();
  });
}

test.run();
