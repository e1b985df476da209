import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { listVersions_200, listVersions_400 } from '../../generated/roma-connect-answers.cjs';
import { type Emulator, type EmulatorOptions, startEmulator } from '../../src/emulator/emulator.ts';
import { GatewayState } from '../../src/emulator/gateway-state.ts';
import { implementations, implementOperations } from '../../src/emulator/implementations.ts';
import type { EmulatedResponse } from '../../src/emulator/responses.ts';
import type { Seed } from '../../src/emulator/seed.ts';
import { loadOperations } from '../../src/emulator/specification.ts';
import { publishAt, sendTo, smallSeed } from './emulated-call.ts';

const now = (): Date => new Date('2026-11-20T08:00:00.123Z');

const plain = { params: {}, query: {}, apiErrors: new Map() };

/** A gateway state with one API and one environment, and the operations on it. */
function open() {
  const state = new GatewayState(
    {
      project: 'p',
      instance: 'i',
      apis: [{ id: 'a', name: 'orders' }],
      environments: [{ id: 'e', name: 'RELEASE' }],
      users: [{ name: 'ada', password: 'secret', domain: 'acme' }],
    },
    now,
  );
  const change = (action: string, more: object = {}): EmulatedResponse =>
    implementations.changePublication({ ...plain, body: { action, api_id: 'a', env_id: 'e', ...more } }, state);
  const logIn = (user: object): EmulatedResponse =>
    implementations.createToken({ ...plain, body: { auth: { identity: { password: { user } } } } }, state);
  return { gateway: state, change, logIn };
}

test('online responds with the version that it created', () => {
  const { gateway, change } = open();
  const answer = change('online', { remark: 'r' });
  const { effective: version, record } = gateway.publications()[0] ?? {};
  assert.ok(version && record);
  assert.equal(answer, {
    status: 201,
    body: {
      api_id: 'a',
      env_id: 'e',
      publish_id: record.publishId,
      publish_time: '2026-11-20T08:00:00.123000000Z',
      version_id: version.versionId,
      remark: 'r',
    },
  });
});

test('a missing remark is empty', () => {
  const { change } = open();
  assert.is((change('online').body as Record<string, unknown>)['remark'], '');
});

test('offline responds with the zero time', () => {
  const { gateway, change } = open();
  change('online');
  const body = { api_id: 'a', env_id: 'e', api_name: 'orders', publish_time: '0001-01-01T00:00:00Z' };
  assert.equal(change('offline'), { status: 201, body });
  assert.is(gateway.publications()[0]?.effective, null);
});

test('a rejection by the gateway state becomes its documented error', () => {
  const { change } = open();
  const { status, body } = change('offline');
  assert.is(status, 404);
  assert.equal(body, { error_code: 'APIG.3015', error_msg: 'API a has not been published in environment e' });
});

test('a valid login returns a working token that lives a day', () => {
  const { gateway, logIn } = open();
  const { status, body, headers } = logIn({ name: 'ada', password: 'secret', domain: { name: 'acme' } });
  assert.is(status, 201);
  assert.equal(body, { token: { issued_at: '2026-11-20T08:00:00.123Z', expires_at: '2026-11-21T08:00:00.123Z' } });
  assert.is(gateway.checkAccess(gateway.auth.authenticateToken(headers?.['X-Subject-Token'] ?? ''), 'p', 'i'), null);
});

test('a wrong login is a 401 without a token', () => {
  const { logIn } = open();
  assert.equal(logIn({ name: 'ada', password: 'wrong', domain: { name: 'acme' } }), {
    status: 401,
    body: { error: { code: 401, title: 'Unauthorized', message: 'The username or password is wrong.' } },
  });
});

interface VersionList {
  readonly size: number;
  readonly total: number;
  readonly api_versions: readonly Readonly<Record<string, unknown>>[];
}

const listingSeed: Seed = {
  ...smallSeed,
  environments: [...smallSeed.environments, { id: 'f', name: 'TEST' }, { id: 'g', name: 'STAGE' }],
};

/** Runs with an emulator and a function that lists the versions of an API over HTTP. */
async function withListing(
  run: (emulator: Emulator, list: (query?: string) => Promise<VersionList>) => Promise<void>,
  options: Partial<EmulatorOptions> = {},
): Promise<void> {
  const emulator = await startEmulator({ seed: listingSeed, ...options });
  try {
    await run(emulator, async (query = '') => {
      const answer = await sendTo(emulator, `${versionsPath}a${query}`, { method: 'GET' });
      const list = await answer.json();
      assert.is(answer.status, 200, JSON.stringify(list));
      assert.ok(listVersions_200(list), JSON.stringify(listVersions_200.errors));
      return list as VersionList;
    });
  } finally {
    await emulator.close();
  }
}

const versionsPath = '/v2/p/apic/instances/i/apis/publish/';
const remarksOf = ({ api_versions }: VersionList) => api_versions.map(({ remark }) => remark);

test('the version list has the version of an online, in whole seconds', () =>
  withListing(async (emulator, list) => {
    assert.equal(await list(), { size: 0, total: 0, api_versions: [] });
    const published = (await (await publishAt(emulator, { remark: 'see CHG-1042, Grüße' })).json()) as Record<string, string>;
    const { size, total, api_versions } = await list();
    assert.equal([size, total], [1, 1]);
    assert.equal(api_versions, [
      {
        version_id: published['version_id'],
        version_no: new Date(Date.parse(published['publish_time'] ?? '') + 8 * 3_600_000).toISOString().slice(0, 19).replace(/\D/g, ''),
        api_id: 'a',
        env_id: 'e',
        env_name: 'RELEASE',
        remark: 'see CHG-1042, Grüße',
        publish_time: `${published['publish_time']?.slice(0, 19)}Z`,
        status: 1,
      },
    ]);
  }));

test('the version list has ten versions of an environment, one effective while it is online', () =>
  withListing(async (emulator, list) => {
    for (let call = 1; call <= 12; call += 1) await publishAt(emulator, { remark: `${call}` });
    const statuses = async () => (await list()).api_versions.map(({ remark, status }) => `${remark}:${status}`);
    const older = ['11:2', '10:2', '9:2', '8:2', '7:2', '6:2', '5:2', '4:2', '3:2'];
    assert.equal(await statuses(), ['12:1', ...older]);
    await publishAt(emulator, { action: 'offline' });
    assert.equal(await statuses(), ['12:2', ...older]);
  }));

test('the version list is paged', () =>
  withListing(async (emulator, list) => {
    for (const env_id of ['e', 'f']) for (let call = 1; call <= 10; call += 1) await publishAt(emulator, { env_id, remark: env_id + call });
    const all = remarksOf(await list('?limit=500'));
    assert.is(all.length, 20);
    const pages = [];
    for (let offset = 0; offset < 25; offset += 7) {
      const page = await list(`?offset=${offset}&limit=7`);
      assert.equal([page.size, page.total], [[7, 7, 6][offset / 7] ?? 0, 20]);
      pages.push(...remarksOf(page));
    }
    assert.equal(pages, all);
    await publishAt(emulator, { env_id: 'g' });
    const { size, total } = await list();
    assert.equal([size, total], [20, 21], 'twenty where nothing else is asked for');
  }));

test('the version list can be limited to one environment', () =>
  withListing(async (emulator, list) => {
    await publishAt(emulator, { remark: 'in e' });
    await publishAt(emulator, { env_id: 'f', remark: 'in f' });
    assert.equal(remarksOf(await list()), ['in e', 'in f']);
    assert.equal(remarksOf(await list('?env_id=f')), ['in f']);
    assert.equal(remarksOf(await list('?env_name=RELEASE')), ['in e']);
    assert.equal(remarksOf(await list('?env_id=f&env_name=RELEASE')), []);
    assert.equal(remarksOf(await list('?env_id=g')), []);
    assert.is((await list('?env_id=f&offset=1')).total, 1);
  }));

for (const [query, name] of [
  ['?limit=0', 'limit'],
  ['?limit=501', 'limit'],
  ['?limit=many', 'limit'],
  ['?limit=', 'limit'],
  ['?limit=1&limit=2', 'limit'],
  ['?offset=x', 'offset'],
  ['?offset=0.5', 'offset'],
  ['?env_id=e&env_id=f', 'env_id'],
] as const) {
  test(`a version list with ${query} is a bad request that names ${name}`, () =>
    withListing(async (emulator) => {
      const answer = await sendTo(emulator, `${versionsPath}a${query}`, { method: 'GET' });
      const body = (await answer.json()) as Record<string, unknown>;
      assert.equal([answer.status, body['error_code']], [400, 'APIG.2011']);
      assert.match(String(body['error_msg']), `parameterName:${name}.`);
      assert.ok(listVersions_400(body));
    }));
}

test('an API that does not exist has no version list', () =>
  withListing(async (emulator) => {
    const answer = await sendTo(emulator, `${versionsPath}x`, { method: 'GET' });
    const body = (await answer.json()) as Record<string, unknown>;
    assert.equal([answer.status, body['error_code'], body['error_msg']], [404, 'APIG.3002', 'API x does not exist']);
  }));

test('the version list shows a change after the propagation delay', () => {
  let nowMs = Date.parse('2026-11-20T08:00:00.123Z');
  return withListing(
    async (emulator, list) => {
      await publishAt(emulator, { remark: 'late' });
      nowMs += 1_999;
      assert.equal(remarksOf(await list()), []);
      nowMs += 1;
      assert.equal(remarksOf(await list()), ['late']);
    },
    { propagationDelayMs: 2_000, now: () => new Date(nowMs) },
  );
});

test('every operation of the specification has its implementation', () => {
  assert.equal(
    implementOperations(loadOperations(), implementations).map((operation) => [operation.id, operation.implementation]),
    loadOperations().map(({ id }) => [id, implementations[id as keyof typeof implementations]]),
  );
});

test('an operation without an implementation is named', () => {
  const { createToken } = implementations;
  assert.throws(
    () => implementOperations(loadOperations(), { createToken }),
    "the specification's operation listApis has no implementation",
  );
});

test('an implementation without an operation is named', () => {
  const stray = { ...implementations, listAll: implementations.createToken };
  assert.throws(() => implementOperations(loadOperations(), stray), 'the specification has no operation for the implementation of listAll');
});

test.run();
