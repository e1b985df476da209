import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Emulator, startEmulator } from '../../src/emulator/emulator.ts';
import { sendTo } from './emulated-call.ts';
import { sendByVendor } from './vendor-client.ts';

/*
 * Lists, switches and batches over HTTP, which the documentation page does not cover.
 */

const instance = '/v2/p/apic/instances/i';
const key = { access: 'AK', secret: 'SK' };
let emulator: Emulator;

async function start(propagationDelayMs = 0): Promise<void> {
  emulator = await startEmulator({
    seed: {
      project: 'p',
      instance: 'i',
      apis: ['a', 'b', 'c', 'd'].map((id) => ({ id, name: `orders-${id}`, ...(id === 'd' && { group: 'shop' }) })),
      environments: [
        { id: 'e', name: 'RELEASE' },
        { id: 'f', name: 'TEST' },
      ],
      tokens: [{ value: 'good' }],
      keys: [key],
    },
    propagationDelayMs,
  });
}

test.before.each(() => start());
test.after.each(() => emulator.close());

type Json = Readonly<Record<string, unknown>>;

async function call(method: string, path: string, body?: object): Promise<{ status: number; body: Json }> {
  const answer = await sendTo(emulator, `${instance}${path}`, { method, ...(body && { body }) });
  return { status: answer.status, body: (await answer.json()) as Json };
}

async function listed(query = ''): Promise<{ total: unknown; ids: string[]; apis: Json[] }> {
  const { status, body } = await call('GET', `/apis${query}`);
  assert.is(status, 200, JSON.stringify(body));
  const apis = body['apis'] as Json[];
  assert.is(body['size'], apis.length);
  return { total: body['total'], ids: apis.map(({ id }) => String(id)), apis };
}

const errorOf = ({ status, body }: { status: number; body: Json }): unknown[] => [status, body['error_code']];

test('APIs are listed newest first, page by page; one that is added in between moves the rest', async () => {
  assert.equal((await listed('?limit=3')).ids, ['d', 'c', 'b']);
  emulator.state.catalog.addApi({ id: 'n', name: 'new' });
  assert.equal(await listed('?offset=3&limit=3').then(({ total, ids }) => [total, ids]), [5, ['b', 'a']]);
  for (const query of ['limit=0', 'limit=501', 'limit=x', 'offset=x']) {
    assert.equal(errorOf(await call('GET', `/apis?${query}`)), [400, 'APIG.2011'], query);
  }
  for (let more = 0; more < 20; more += 1) emulator.state.catalog.addApi({ id: `m${more}`, name: 'm' });
  assert.is((await listed()).ids.length, 20, 'unless asked otherwise');
});

test('a list can be filtered', async () => {
  emulator.state.publish('b', 'f', '');
  const [group] = (await listed('?id=d')).apis.map(({ group_id }) => String(group_id));
  assert.equal((await listed(`?group_id=${group}`)).ids, ['d']);
  assert.equal((await listed('?env_id=f')).ids, ['b']);
  assert.equal((await listed('?name=orders-')).ids.length, 4);
  assert.equal((await listed('?name=orders-&precise_search=name')).ids, []);
  assert.equal((await listed('?name=orders-c&precise_search=req_uri,name')).ids, ['c']);
});

test('the environments of an API are in joined fields: missing, empty, one or several', async () => {
  for (const [api, environment] of [
    ['b', 'e'],
    ['c', 'e'],
    ['c', 'f'],
    ['d', 'e'],
  ] as const) {
    emulator.state.publish(api, environment, '');
  }
  emulator.state.takeOffline('d', 'e');
  const [d, c, b, a] = (await listed()).apis;
  assert.equal([a?.['run_env_id'], b?.['run_env_id'], c?.['run_env_id'], d?.['run_env_id']], [undefined, 'e', 'e|f', '']);
  assert.is(c?.['run_env_name'], 'RELEASE|TEST');
  assert.match(String(c?.['publish_id']), /^[0-9a-f]{32}\|[0-9a-f]{32}$/);
  assert.match(String(c?.['publish_time']), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
  assert.not('publish_id' in (a ?? {}));
  assert.equal((await call('GET', '/apis/c')).body, c);
  assert.equal(errorOf(await call('GET', '/apis/x')), [404, 'APIG.3002']);
});

test('lists lag behind, a direct read does not', async () => {
  await emulator.close();
  await start(300);
  emulator.state.publish('a', 'e', '');
  assert.is((await listed('?id=a')).apis[0]?.['run_env_id'], undefined);
  assert.is((await call('GET', '/apis/a')).body['run_env_id'], 'e');
  await sleep(350);
  assert.is((await listed('?id=a')).apis[0]?.['run_env_id'], 'e');
});

test('environments are listed', async () => {
  const { body } = await call('GET', '/envs?limit=1&offset=1');
  assert.equal([body['size'], body['total'], (body['envs'] as Json[])[0]?.['name']], [1, 2, 'TEST']);
});

test('a switch makes a kept version effective, under a new record and without a new version', async () => {
  for (let count = 0; count < 11; count += 1) emulator.state.publish('a', 'e', `r${count}`);
  const publication = () => emulator.state.publications()[0];
  const kept = publication()?.versions ?? [];
  const [oldest, before] = [kept.at(-1), publication()?.record];
  const { status, body } = await call('PUT', '/apis/publish/a', { version_id: oldest?.versionId });
  assert.equal([status, body['version_id'], body['env_id'], body['remark']], [200, oldest?.versionId, 'e', 'r1']);
  assert.is.not(body['publish_id'], before?.publishId);
  assert.equal([publication()?.effective, publication()?.versions, publication()?.switchCalls], [oldest, kept, 1]);
  assert.equal(errorOf(await call('PUT', '/apis/publish/a', { version_id: 'gone' })), [404, 'APIG.3022']);
  assert.equal(errorOf(await call('PUT', '/apis/publish/x', { version_id: oldest?.versionId })), [404, 'APIG.3002']);
  assert.equal(errorOf(await call('PUT', '/apis/publish/a', {})), [400, 'APIG.2011']);
  emulator.state.takeOffline('a', 'e');
  await call('PUT', '/apis/publish/a', { version_id: oldest?.versionId });
  assert.equal(publication()?.effective, oldest, 'online again');
});

const batch = (apis: readonly string[], action = 'online', more: object = {}) =>
  call('POST', `/apis/publish?action=${action}`, { apis, env_id: 'e', ...more });
const ids = (list: unknown): unknown[] => (list as Json[]).map(({ api_id }) => api_id);

test('a batch returns 200 with a result for each API', async () => {
  emulator.faults.add({ times: 1, operation: 'changePublications', apiId: 'b', status: 409, errorCode: 'APIC.7701', errorMsg: 'busy' });
  const { status, body } = await batch(['a', 'b', 'x'], 'online', { remark: 'all of them' });
  assert.equal([status, ids(body['success'])], [200, ['a']]);
  assert.equal(
    (body['failure'] as Json[]).map(({ api_id, error_code }) => [api_id, error_code]),
    [
      ['b', 'APIC.7701'],
      ['x', 'APIG.3002'],
    ],
  );
  assert.equal(ids((await batch(['b'])).body['success']), ['b'], 'the fault is used up');
  assert.is(emulator.state.publications()[0]?.effective?.remark, 'all of them');
  assert.equal(ids((await batch(['a', 'c'], 'offline')).body['failure']), ['c']);
  const [first] = emulator.requests.all();
  assert.equal([first?.action, first?.environment, first?.apis, first?.applied], ['online', 'e', ['a', 'b', 'x'], true]);
});

test('a batch is rejected as a whole for an error that concerns all of it', async () => {
  assert.equal(errorOf(await batch(['a'], 'up')), [400, 'APIG.2011']);
  assert.equal(errorOf(await batch([])), [400, 'APIG.2011']);
  assert.equal(errorOf(await batch(Array(1001).fill('a'))), [400, 'APIG.2011']);
  assert.equal(errorOf(await batch(['a'], 'online', { env_id: 'x' })), [404, 'APIG.3003']);
  assert.equal(emulator.state.publications(), []);
  assert.is((await batch(Array(1000).fill('a'))).status, 200);
});

for (const applied of [false, true]) {
  test(`a batch whose connection is cut has ${applied ? '' : 'not '}taken effect`, async () => {
    emulator.faults.add({ kind: 'cut', times: 1, operation: 'changePublications', applied });
    assert.instance(await batch(['a', 'b']).catch((error: unknown) => error), Error);
    assert.is(emulator.state.publications().length, applied ? 2 : 0);
  });
}

test('the client of the vendor reads with several parameters and switches', async () => {
  emulator.state.publish('a', 'e', '');
  const queryParams = { offset: 0, limit: 2, name: 'orders', env_id: 'e' };
  const { total } = await sendByVendor(emulator, key, { method: 'GET', url: `${instance}/apis`, queryParams });
  assert.is(total, 1);
  const data = { version_id: emulator.state.publications()[0]?.effective?.versionId };
  const switched = await sendByVendor(emulator, key, { method: 'PUT', url: `${instance}/apis/publish/a`, data });
  assert.is(switched['version_id'], data.version_id);
});

test.run();
