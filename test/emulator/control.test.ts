import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Emulator, startEmulator } from '../../src/emulator/emulator.ts';
import { publishAt, sendTo, smallSeed } from './emulated-call.ts';

let emulator: Emulator;

test.before.each(async () => {
  emulator = await startEmulator({ seed: smallSeed });
});

test.after.each(() => emulator.close());

const fault = { times: 1, status: 503, errorCode: 'APIG.9999', errorMsg: 'System error' };
const get = async (path: string): Promise<unknown> => (await sendTo(emulator, path, { method: 'GET' })).json();

test('shows the publications', async () => {
  assert.equal(await get('/_emulator/publications'), []);
  const published = (await (await publishAt(emulator, { remark: 'r' })).json()) as Record<string, unknown>;
  const version = {
    versionId: published['version_id'],
    publishTime: published['publish_time'],
    remark: 'r',
  };
  const record = { publishId: published['publish_id'], publishTime: published['publish_time'] };
  const counts = { onlineCalls: 1, offlineCalls: 0, switchCalls: 0 };
  assert.equal(await get('/_emulator/publications'), [
    { api: 'a', environment: 'e', versions: [version], effective: version, record, ...counts },
  ]);
});

test('shows the requests, clears them on request, and does not count itself', async () => {
  await publishAt(emulator);
  assert.equal(await get('/_emulator/requests'), structuredClone(emulator.requests.all()));
  assert.is(emulator.requests.all().length, 1);
  assert.is((await sendTo(emulator, '/_emulator/requests', { method: 'DELETE' })).status, 204);
  assert.equal(await get('/_emulator/requests'), []);
});

test('a manual change is made, and is not counted as a call', async () => {
  const byHand = (body: object) => sendTo(emulator, '/_emulator/publications', { method: 'PUT', body });
  assert.is((await byHand({ api: 'a', environment: 'e', action: 'online' })).status, 204);
  assert.is(emulator.state.publications()[0]?.onlineCalls, 0);
  assert.ok(emulator.state.publications()[0]?.effective);
  assert.is((await byHand({ api: 'x', environment: 'e', action: 'online' })).status, 404);
  assert.is((await byHand({ api: 'a', environment: 'e', action: 'up' })).status, 400);
});

test('APIs and environments can be added, changed, hidden and deleted while it runs', async () => {
  const send = async (method: string, path: string, body?: object): Promise<number> =>
    (await sendTo(emulator, `/_emulator/${path}`, { method, ...(body && { body }) })).status;
  const names = (): string[] => emulator.state.catalog.listApis().map(({ name }) => name);
  assert.is(await send('POST', 'apis', { id: 'b', name: 'carts', group: 'shop', editedAt: '2026-11-20T08:00:00Z' }), 204);
  assert.is(await send('POST', 'environments', { id: 'f', name: 'TEST' }), 204);
  assert.equal(names(), ['carts', 'orders']);
  assert.is(await send('PATCH', 'apis/b', { name: 'baskets', edited: true }), 204);
  assert.equal(names(), ['baskets', 'orders']);
  assert.is(await send('PATCH', 'apis/b', { hidden: 'list' }), 204);
  assert.equal(names(), ['orders']);
  assert.is(await send('DELETE', 'apis/b'), 204);
  for (const status of [await send('DELETE', 'apis/b'), await send('PATCH', 'apis/b', { edited: true })]) assert.is(status, 404);
  for (const body of [
    {},
    { id: 'c' },
    { id: 'c', name: '' },
    { id: 'c', name: 'c', groups: [] },
    { id: 'c', name: 'c', editedAt: 'now' },
  ]) {
    assert.is(await send('POST', 'apis', body), 400, JSON.stringify(body));
  }
  assert.is(await send('PATCH', 'apis/a', { hidden: 'yes' }), 400);
});

test('a fault affects the next calls, with every field of it', async () => {
  const body = { ...fault, times: 2, headers: { 'retry-after': '7' } };
  assert.is((await sendTo(emulator, '/_emulator/faults', { body })).status, 204);
  for (let call = 1; call <= 2; call += 1) {
    const answer = await publishAt(emulator);
    assert.is(answer.status, 503);
    assert.is(answer.headers.get('retry-after'), '7');
    assert.is(((await answer.json()) as Record<string, unknown>)['error_code'], 'APIG.9999');
  }
  assert.is((await publishAt(emulator)).status, 201);
});

test('a fault for one API affects only that one', async () => {
  await sendTo(emulator, '/_emulator/faults', { body: { ...fault, apiId: 'b' } });
  assert.is((await publishAt(emulator)).status, 201);
});

test('an applied fault changes the gateway', async () => {
  await sendTo(emulator, '/_emulator/faults', { body: { ...fault, applied: true } });
  assert.is((await publishAt(emulator)).status, 503);
  assert.is(emulator.state.publications()[0]?.onlineCalls, 1);
});

test('a latency delays responses', async () => {
  assert.is((await sendTo(emulator, '/_emulator/latency', { method: 'PUT', body: { ms: 150 } })).status, 204);
  const startedAtMs = performance.now();
  assert.is((await publishAt(emulator)).status, 201);
  assert.ok(performance.now() - startedAtMs >= 145);
});

test('clearing the faults clears the latency too', async () => {
  await sendTo(emulator, '/_emulator/faults', { body: { ...fault, times: 9 } });
  await sendTo(emulator, '/_emulator/latency', { method: 'PUT', body: { ms: 60_000 } });
  assert.is((await sendTo(emulator, '/_emulator/faults', { method: 'DELETE' })).status, 204);
  assert.is((await publishAt(emulator)).status, 201);
});

test('a latency range can be set and cleared', async () => {
  const bounds = { minMs: 1, maxMs: 2 };
  assert.is((await sendTo(emulator, '/_emulator/latency', { method: 'PUT', body: bounds })).status, 204);
  assert.equal(emulator.faults.latencyMs, bounds);
  assert.is((await sendTo(emulator, '/_emulator/latency', { method: 'PUT', body: null })).status, 204);
  assert.is(emulator.faults.latencyMs, 0);
});

test('a throttle rejects the calls beyond it until it is cleared', async () => {
  const limit = { calls: 1, perMs: 3_600_000, retryAfter: true };
  assert.is((await sendTo(emulator, '/_emulator/throttle', { method: 'PUT', body: limit })).status, 204);
  assert.is((await publishAt(emulator)).status, 201);
  const refused = await publishAt(emulator);
  assert.is(refused.status, 429);
  assert.match(String(refused.headers.get('retry-after')), /^3[56]\d\d$/);
  assert.is((await sendTo(emulator, '/_emulator/throttle', { method: 'PUT', body: null })).status, 204);
  assert.is((await publishAt(emulator)).status, 201);
});

test('the requests can be read from an index on', async () => {
  for (const remark of ['1', '2', '3']) await publishAt(emulator, { remark });
  const read = (await get('/_emulator/requests?since=1')) as { remark: string }[];
  assert.equal(
    read.map(({ remark }) => remark),
    ['2', '3'],
  );
  assert.equal(await get('/_emulator/requests?since=3'), []);
  for (const since of ['-1', 'x', '1&since=2', '']) {
    const answer = await sendTo(emulator, `/_emulator/requests?since=${since}`, { method: 'GET' });
    assert.is(answer.status, 400, since);
    assert.match(String(((await answer.json()) as Record<string, unknown>)['error_msg']), 'querystring/since must');
  }
});

test('expiring the tokens expires the issued ones and no other', async () => {
  const issued = emulator.state.auth.logIn({ name: 'ada', password: 'secret', domain: { name: 'acme' } })?.token ?? '';
  assert.is((await publishAt(emulator, {}, { 'x-auth-token': issued })).status, 201);
  assert.is((await sendTo(emulator, '/_emulator/tokens', { method: 'DELETE' })).status, 204);
  assert.is((await publishAt(emulator, {}, { 'x-auth-token': issued })).status, 401);
  assert.is((await publishAt(emulator)).status, 201);
});

for (const [method, path, body, message] of [
  ['POST', 'faults', {}, "body must have required property 'times'"],
  ['POST', 'faults', { ...fault, times: 0 }, 'body/times must be >= 1'],
  ['POST', 'faults', { ...fault, times: '2' }, 'body/times must be integer'],
  ['POST', 'faults', { ...fault, status: 200 }, 'body/status must be >= 400'],
  ['POST', 'faults', { ...fault, status: 600 }, 'body/status must be <= 599'],
  ['POST', 'faults', { ...fault, api: 'a' }, 'body must NOT have additional properties, such as api'],
  ['POST', 'faults', { ...fault, applied: 'no' }, 'body/applied must be boolean'],
  ['POST', 'faults', { ...fault, headers: { 'retry-after': 1 } }, 'body/headers/retry-after must be string'],
  [
    'POST',
    'faults',
    { ...fault, headers: { 'retry after': '1' } },
    'body/headers must NOT have additional properties, such as retry after',
  ],
  ['POST', 'faults', { ...fault, headers: { 'x-more': 'a\nb' } }, 'body/headers/x-more must match pattern "^[\\t -~]*$"'],
  ['PUT', 'latency', { ms: -1 }, 'body/ms must be >= 0'],
  ['PUT', 'latency', { ms: 1.5 }, 'body/ms must be integer'],
  ['PUT', 'latency', {}, "body must have required property 'ms'"],
  ['PUT', 'latency', { ms: 1, for: 'a' }, 'body must NOT have additional properties, such as for'],
  ['PUT', 'latency', 5, 'body must be object,null'],
  ['PUT', 'latency', { minMs: 5 }, "body must have required property 'maxMs'"],
  ['PUT', 'latency', { minMs: 5, maxMs: 4 }, 'body/minMs must be <= body/maxMs'],
  ['PUT', 'latency', { ms: 5, minMs: 5, maxMs: 6 }, 'body/ms does not go with the rest'],
  ['PUT', 'latency', { ms: 5, maxMs: 6 }, 'body/maxMs does not go with the rest'],
  ['POST', 'faults', { kind: 'cut' }, "body must have required property 'times'"],
  ['POST', 'faults', { kind: 'cut', times: 1, share: 1 }, 'body/times does not go with the rest'],
  ['POST', 'faults', { kind: 'cut', share: 1.5 }, 'body/share must be <= 1'],
  ['POST', 'faults', { kind: 'cut', times: 1, status: 500 }, 'body/status does not go with the rest'],
  ['POST', 'faults', { kind: 'slow', times: 1 }, 'body/kind must be one of answer, cut, half, invalid, hang'],
  ['POST', 'faults', { kind: 'answer', times: 1 }, "body must have required property 'status'"],
  [
    'POST',
    'faults',
    { kind: 'cut', times: 1, operation: 'listAll' },
    'body/operation must be one of listApis, getApi, listEnvironments, changePublication, changePublications, listVersions, switchVersion, createToken, *',
  ],
  ['PUT', 'throttle', {}, "body must have required property 'calls'"],
  ['PUT', 'throttle', { calls: 0, perMs: 1 }, 'body/calls must be >= 1'],
  ['PUT', 'throttle', { calls: 1, perMs: 0 }, 'body/perMs must be >= 1'],
  ['PUT', 'throttle', { calls: 1, perMs: 1, retryAfter: 1 }, 'body/retryAfter must be boolean'],
  ['PUT', 'behavior', { apiNameOnline: 1 }, 'body/apiNameOnline must be boolean'],
  ['PUT', 'behavior', { refuse: true }, 'body must NOT have additional properties, such as refuse'],
] as const) {
  test(`rejects ${method} ${path} ${JSON.stringify(body)} and says why`, async () => {
    const answer = await sendTo(emulator, `/_emulator/${path}`, { method, body });
    assert.is(answer.status, 400);
    assert.is(((await answer.json()) as Record<string, unknown>)['error_msg'], message);
    for (const operation of ['changePublication', 'createToken']) assert.is(emulator.faults.take({ operation, apiId: 'a' }), null);
    assert.is(emulator.faults.latencyMs, 0);
    assert.is(emulator.faults.throttle, null);
  });
}

test.run();
