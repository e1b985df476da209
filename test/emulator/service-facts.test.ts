import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Emulator, startEmulator } from '../../src/emulator/emulator.ts';
import { publishAt, sendTo, smallSeed } from './emulated-call.ts';

/*
 * Facts about the service that its documentation page does not have, each over HTTP. Where the service is unknown, both ways.
 */

const instance = '/v2/p/apic/instances/i';
let emulator: Emulator;

test.before.each(async () => {
  const apis = ['a', 'b'].map((id) => ({ id, name: `orders-${id}` }));
  emulator = await startEmulator({ seed: { ...smallSeed, apis }, now: () => new Date('2020-08-03T20:36:00.592Z') });
});
test.after.each(() => emulator.close());

type Json = Readonly<Record<string, unknown>>;

async function call(method: string, path: string, body?: object): Promise<{ status: number; body: Json; requestId: string | null }> {
  const answer = await sendTo(emulator, `${instance}${path}`, { method, ...(body && { body }) });
  return { status: answer.status, body: (await answer.json()) as Json, requestId: answer.headers.get('x-request-id') };
}

const control = async (path: string, method: string, body: object): Promise<void> => {
  assert.is((await sendTo(emulator, `/_emulator/${path}`, { method, body })).status, 204);
};

const versions = async (): Promise<readonly Json[]> => (await call('GET', '/apis/publish/a')).body['api_versions'] as Json[];

test('the number of a version is the time of its publication in UTC+8', async () => {
  emulator.state.publish('a', 'e', '');
  const [version] = await versions();
  assert.equal([version?.['publish_time'], version?.['version_no']], ['2020-08-03T20:36:00Z', '20200804043600']);
});

test('a batch needs an environment only', async () => {
  assert.equal((await call('POST', '/apis/publish?action=online', { env_id: 'e' })).body, { success: [], failure: [] });
  assert.is((await call('POST', '/apis/publish?action=online', { apis: ['a'] })).status, 400);
});

test('a batch names the APIs of its successes, and not those of its failures', async () => {
  emulator.state.publish('a', 'e', '');
  for (const action of ['online', 'offline']) {
    const { success, failure } = (await call('POST', `/apis/publish?action=${action}`, { apis: ['a', 'x'], env_id: 'e' })).body;
    assert.is((success as Json[])[0]?.['api_name'], 'orders-a');
    assert.equal(failure, [{ api_id: 'x', error_code: 'APIG.3002', error_msg: 'Api x not found' }]);
  }
});

for (const apiNameOnline of [false, true]) {
  test(`online and a switch answer ${apiNameOnline ? 'with' : 'without'} api_name, offline with it`, async () => {
    await control('behavior', 'PUT', { apiNameOnline });
    const wanted = apiNameOnline ? 'orders-a' : undefined;
    const online = (await (await publishAt(emulator)).json()) as Json;
    assert.is(online['api_name'], wanted);
    assert.is((await call('PUT', '/apis/publish/a', { version_id: online['version_id'] })).body['api_name'], wanted);
    assert.is(((await (await publishAt(emulator, { action: 'offline' })).json()) as Json)['api_name'], 'orders-a');
  });
}

test('every answer has a request ID in its header, and only an error of the front gateway also in its body', async () => {
  await control('faults', 'POST', { times: 1, status: 429, errorCode: 'APIG.0308', errorMsg: 'm' });
  const answers = [
    await call('POST', '/apis/action', { action: 'online', api_id: 'a', env_id: 'e' }),
    await call('POST', '/apis/action', { action: 'online', api_id: 'a', env_id: 'e' }),
    await call('GET', '/apis'),
    await call('GET', '/apis/x'),
    await call('GET', '/nothing'),
    await call('GET', '/apis?limit=0'),
  ];
  assert.equal(
    answers.map(({ status }) => status),
    [429, 201, 200, 404, 404, 400],
  );
  for (const { requestId } of answers) assert.match(String(requestId), /^[0-9a-f]{32}$/);
  assert.is(new Set(answers.map(({ requestId }) => requestId)).size, answers.length);
  const inBody = answers.map(({ body }) => body['request_id']);
  assert.equal(inBody, [answers[0]?.requestId, undefined, undefined, undefined, answers[4]?.requestId, undefined]);
});

test('a negative offset counts as 0', async () => {
  emulator.state.publish('a', 'e', '');
  for (const path of ['/apis', '/envs', '/apis/publish/a']) {
    assert.equal((await call('GET', `${path}?offset=-1&limit=1`)).body, (await call('GET', `${path}?offset=0&limit=1`)).body, path);
  }
});

test('a path that takes other methods only is no API of that name', async () => {
  for (const [method, path] of [
    ['GET', '/apis/action'],
    ['GET', '/apis/publish'],
    ['PUT', '/apis'],
  ] as const) {
    const { status, body } = await call(method, path);
    assert.equal([status, body['error_code']], [404, 'APIG.0101'], path);
  }
});

test('versions survive offline, and one of them can be made effective again', async () => {
  for (const action of ['online', 'online', 'offline']) await publishAt(emulator, { action });
  const kept = await versions();
  assert.equal(
    kept.map(({ status }) => status),
    [2, 2],
  );
  assert.is((await call('PUT', '/apis/publish/a', { version_id: kept[1]?.['version_id'] })).status, 200);
  assert.equal(
    (await versions()).map(({ status }) => status),
    [2, 1],
  );
});

test('switching to the version that is effective works, and makes no version', async () => {
  const { version_id, publish_id } = (await (await publishAt(emulator)).json()) as Json;
  const { status, body } = await call('PUT', '/apis/publish/a', { version_id });
  assert.equal([status, body['version_id']], [200, version_id]);
  assert.is.not(body['publish_id'], publish_id);
  assert.is((await versions()).length, 1);
});

for (const [perMs, window] of [
  [90_000, '90 second'],
  [300_000, '5 minute'],
  [7 * 24 * 3_600_000, '168 hour'],
] as const) {
  test(`a throttle with a window of ${perMs} ms names ${window}`, async () => {
    await control('throttle', 'PUT', { calls: 2, perMs });
    const limited = [await call('GET', '/apis'), await call('GET', '/apis'), await call('GET', '/apis')];
    assert.equal(
      limited.map(({ status }) => status),
      [200, 200, 429],
    );
    assert.ok(String(limited[2]?.body['error_msg']).endsWith(`,limit:2,time:${window}`), String(limited[2]?.body['error_msg']));
  });
}

for (const refuseOverlaps of [false, true]) {
  test(`a change of an API while another one is under way ${refuseOverlaps ? 'is refused' : 'is made'}`, async () => {
    await control('behavior', 'PUT', { refuseOverlaps });
    await control('latency', 'PUT', { ms: 300 });
    const action = { action: 'online', api_id: 'a', env_id: 'e' };
    const first = call('POST', '/apis/action', action);
    while (emulator.requests.all().length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    const [second, batch, other] = await Promise.all([
      call('POST', '/apis/action', action),
      call('POST', '/apis/publish?action=offline', { apis: ['a', 'x'], env_id: 'e' }),
      call('POST', '/apis/action', { ...action, api_id: 'b' }),
    ]);
    assert.is((await first).status, 201);
    assert.is(other.status, 201, 'another API');
    assert.equal([second.status, second.body['error_code']], refuseOverlaps ? [500, 'APIG.3500'] : [201, undefined]);
    const failed = (batch.body['failure'] as Json[]).map((one) => [one['api_id'], one['error_code']]);
    assert.equal(failed, [...(refuseOverlaps ? [['a', 'APIG.3500']] : []), ['x', 'APIG.3002']]);
    assert.is((await call('POST', '/apis/action', action)).status, 201, 'once it is answered');
    assert.is((await call('GET', '/apis/a')).status, 200);
  });
}

for (const [errorCode, errorMsg] of [
  ['APIG.1010', 'PDP server connection failed'],
  ['APIG.1011', 'You can request resources only after you complete real-name authentication'],
  ['APIG.1012', 'Your account balance is insufficient'],
  ['APIG.1013', 'Your account has been frozen'],
  ['APIGW.0301', 'Incorrect IAM authentication information: AK access failed to reach the limit,forbidden.'],
  ['APIG.1099', 'Unlisted'],
] as const) {
  test(`on demand every call is refused with 401 ${errorCode}`, async () => {
    await control('faults', 'POST', { operation: '*', times: 2, status: 401, errorCode, errorMsg });
    for (const answer of [await call('GET', '/envs'), await call('POST', '/apis/action', { action: 'online', api_id: 'a', env_id: 'e' })]) {
      assert.equal([answer.status, answer.body['error_code'], answer.body['error_msg']], [401, errorCode, errorMsg]);
    }
    assert.is((await call('GET', '/envs')).status, 200);
  });
}

test.run();
