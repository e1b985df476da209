import { inspect } from 'node:util';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { openGatewayReader } from '../../src/gateway/gateway.ts';
import { GatewayClient } from '../../src/gateway/gateway-client.ts';
import type { GatewayReader } from '../../src/gateway/interface.ts';
import { createGatewayReader } from '../../src/gateway/lists.ts';
import type { ListedVersion, ObservedApi } from '../../src/model/observation.ts';
import type { ReadResult } from '../../src/model/outcome.ts';
import { givenToken } from '../support/credentials.ts';
import { type Answer, answeringServer, changeTo, json, type SeenRequest, settingsFor } from './answering-server.ts';

const prefix = '/v2/project-1/apic/instances/instance-1';
const secondMs = Date.UTC(2020, 7, 3, 1, 36);

/** Reads from a gateway that responds with `answer`. */
async function reading<T>(answer: Answer, read: (gateway: GatewayReader, signal: AbortSignal) => Promise<T>) {
  const server = await answeringServer(answer);
  const gateway = createGatewayReader(
    new GatewayClient(settingsFor(server.url, { timeoutMs: 1_000 }), {
      credentials: givenToken('t0ken'),
      acquire: undefined,
      mode: 'reads',
    }),
  );
  try {
    return { read: await read(gateway, new AbortController().signal), requests: server.requests };
  } finally {
    await gateway.close();
    await server.close();
  }
}

type Reading = (gateway: GatewayReader, signal: AbortSignal) => Promise<ReadResult<unknown>>;
const readApis = (gateway: GatewayReader, signal: AbortSignal) => gateway.listApis(signal);
const readApi = (gateway: GatewayReader, signal: AbortSignal) => gateway.getApi('api-1', signal);
const readEnvironments = (gateway: GatewayReader, signal: AbortSignal) => gateway.listEnvironments(signal);
const readVersions = (gateway: GatewayReader, signal: AbortSignal) => gateway.listVersions(changeTo('online'), signal);

/** Returns the result; fails if the read failed. */
function readValue<T>(read: ReadResult<T>): T {
  return read.kind === 'read' ? read.value : (assert.unreachable(inspect(read)) as never);
}

/** Returns why the read failed, as `KIND CODE`. */
function failureOf(read: ReadResult<unknown>): string {
  return read.kind === 'read' ? 'read' : `${read.kind} ${read.failure.code}`;
}

function offsetOf({ path }: SeenRequest): number {
  return Number(new URL(path, 'http://host').searchParams.get('offset'));
}

const numbered = (count: number): readonly object[] =>
  Array.from({ length: count }, (_, index) => ({ id: `a${index}`, name: `n${index}` }));

/** Lists `all` in pages of at most `longest`. */
function paged(all: readonly object[], longest = 500): Answer {
  return (response, request) => {
    const limit = Number(new URL(request.path, 'http://host').searchParams.get('limit'));
    const apis = all.slice(offsetOf(request), offsetOf(request) + Math.min(limit, longest));
    json(response, 200, { size: apis.length, total: all.length, apis });
  };
}

for (const [count, offsets] of [
  [0, [0]],
  [1, [0]],
  [500, [0]],
  [501, [0, 500]],
  [1000, [0, 500]],
  [5000, [0, 500, 1000, 1500, 2000, 2500, 3000, 3500, 4000, 4500]],
] as const) {
  test(`${count} APIs are read in ${offsets.length} requests`, async () => {
    const { read, requests } = await reading(paged(numbered(count)), readApis);
    assert.is(readValue(read).size, count);
    assert.equal(
      requests.map(offsetOf).toSorted((a, b) => a - b),
      offsets,
    );
    assert.is(requests[0]?.path, `${prefix}/apis?offset=0&limit=500`);
    for (const { method } of requests) assert.is(method, 'GET');
  });
}

test('a gateway with smaller pages than requested is read to the end', async () => {
  const { read, requests } = await reading(paged(numbered(250), 100), readApis);
  assert.equal([readValue(read).size, requests.map(offsetOf).toSorted((a, b) => a - b)], [250, [0, 100, 200]]);
});

test('a gateway that returns everything in the first page is read once', async () => {
  const all = numbered(600);
  const { read, requests } = await reading((response) => json(response, 200, { size: 600, total: 600, apis: all }), readApis);
  assert.equal([readValue(read).size, requests.length], [600, 1]);
});

test('an item that moves to a later page during the read appears once', async () => {
  const all = numbered(1000);
  const { read } = await reading((response, request) => {
    const shifted = offsetOf(request) === 0 ? all : [{ id: 'new', name: 'new' }, ...all];
    const apis = shifted.slice(offsetOf(request), offsetOf(request) + 500);
    json(response, 200, { size: apis.length, total: shifted.length, apis });
  }, readApis);
  const value = readValue(read);
  assert.is(value.size, 999, 'a499 on both pages, a999 on an unexpected page, the new one on none');
  assert.not(value.has('new'));
});

test('a list in which an item moved is read again, three times at most', async () => {
  const all = numbered(1000);
  const movingFor = async (times: number) =>
    reading((response, request, count) => {
      const isMoved = count <= times * 2 && offsetOf(request) > 0;
      const apis = (isMoved ? [{ id: 'new', name: 'new' }, ...all] : all).slice(offsetOf(request), offsetOf(request) + 500);
      json(response, 200, { size: apis.length, total: all.length, apis });
    }, readApis);
  const once = await movingFor(1);
  assert.equal([readValue(once.read).size, once.requests.length], [1000, 4]);
  const always = await movingFor(9);
  assert.equal([readValue(always.read).size, always.requests.length], [999, 6]);
});

test('a failed page fails the whole list, since half of it would look like deleted APIs', async () => {
  for (const [answer, failure] of [
    [(response) => json(response, 500, { error_code: 'APIG.9999', error_msg: 'x' }), 'retryable APIG.9999'],
    [(response) => json(response, 429, { error_code: 'APIG.0308', error_msg: 'x' }), 'throttled APIG.0308'],
    [(response) => json(response, 200, { size: 0, apis: [] }), 'retryable INVALID_RESPONSE'],
    [(response) => response.destroy(), 'retryable CONNECTION_LOST'],
  ] as const satisfies readonly (readonly [Answer, string])[]) {
    const pages = paged(numbered(1001));
    const { read } = await reading((...args) => (offsetOf(args[1]) === 500 ? answer : pages)(...args), readApis);
    assert.is(failureOf(read), failure);
  }
});

for (const [title, body] of [
  ['no total', { size: 0, apis: [] }],
  ['an API without an ID', { size: 1, total: 1, apis: [{ name: 'x' }] }],
  ['an API without a name', { size: 1, total: 1, apis: [{ id: 'x' }] }],
  ['no list', { size: 0, total: 0 }],
  ['a total that is a string', { size: 0, total: '0', apis: [] }],
  ['an empty first page of many', { size: 0, total: 3, apis: [] }],
  ['more than there can be', { size: 1, total: 1e12, apis: [{ id: 'x', name: 'x' }] }],
  ['another field that is not a string', { size: 1, total: 1, apis: [{ id: 'x', name: 'x', run_env_id: 7 }] }],
] as const) {
  test(`a list with ${title} is not used`, async () => {
    const { read, requests } = await reading((response) => json(response, 200, body), readApis);
    assert.equal([failureOf(read), requests.length], ['retryable INVALID_RESPONSE', 1]);
  });
}

for (const [title, answer, failure] of [
  ['without permission to read', (response) => json(response, 403, { error_code: 'APIG.1005', error_msg: 'x' }), 'rejected APIG.1005'],
  [
    'of an instance that is not there',
    (response) => json(response, 404, { error_code: 'APIG.3030', error_msg: 'x' }),
    'rejected APIG.3030',
  ],
  ['at a wrong URL', (response) => json(response, 404, { error_code: 'APIGW.0101', error_msg: 'x' }), 'rejected APIGW.0101'],
  ['with rejected credentials', (response) => json(response, 401, { error_code: 'APIG.1002', error_msg: 'x' }), 'unauthorized APIG.1002'],
  ['that is throttled', (response) => json(response, 429, { error_code: 'APIG.0308', error_msg: 'x' }), 'throttled APIG.0308'],
  ['with an internal error', (response) => json(response, 500, { error_code: 'APIG.9999', error_msg: 'x' }), 'retryable APIG.9999'],
  ['behind a proxy without a backend', (response) => response.writeHead(502).end('<h1>Bad Gateway</h1>'), 'retryable HTTP_502'],
  ['with a redirect', (response) => response.writeHead(302, { location: 'https://elsewhere.example/' }).end(), 'rejected REDIRECTED'],
  ['that is an HTML page', (response) => response.writeHead(200).end('<h1>Welcome</h1>'), 'retryable INVALID_RESPONSE'],
  ['without a response', () => {}, 'retryable TIMEOUT'],
] as const satisfies readonly (readonly [string, Answer, string])[]) {
  test(`a list ${title} is ${failure}, and never an empty one`, async () => {
    for (const read of [readApis, readEnvironments, readApi] as Reading[])
      assert.is(failureOf((await reading(answer, read)).read), failure);
  });
}

/** Reads one API with these fields. */
async function observed(fields: object): Promise<ObservedApi | undefined> {
  const body = { size: 1, total: 1, apis: [{ id: 'api-1', name: 'orders', ...fields }] };
  return readValue((await reading((response) => json(response, 200, body), readApis)).read).get('api-1');
}

const time = '2020-08-03T01:36:00Z';

test('an API has the fields of the response', async () => {
  const group = { group_id: 'g1', group_name: 'shop', update_time: time, register_time: '2019-01-01T00:00:00Z', status: 2 };
  const published = {
    run_env_id: 'e1|e2',
    run_env_name: 'RELEASE|test',
    publish_id: 'p1|p2',
    publish_time: `${time}|2020-08-03T01:36:01Z`,
  };
  assert.equal(await observed({ ...group, ...published }), {
    apiId: 'api-1',
    name: 'orders',
    groupId: 'g1',
    group: 'shop',
    editedAtMs: secondMs,
    publications: new Map([
      ['e1', { publishId: 'p1', publishedAtMs: secondMs }],
      ['e2', { publishId: 'p2', publishedAtMs: secondMs + 1000 }],
    ]),
  });
});

test('a missing field is unknown', async () => {
  assert.equal(await observed({}), {
    apiId: 'api-1',
    name: 'orders',
    groupId: '',
    group: '',
    editedAtMs: null,
    publications: new Map(),
  });
});

const nothing = { publishId: null, publishedAtMs: null };
for (const [title, fields, expected] of [
  ['absent', {}, {}],
  ['empty', { run_env_id: '', publish_id: '', publish_time: '' }, {}],
  ['left over without an environment', { run_env_id: '', publish_id: 'p1', publish_time: time }, {}],
  ['null', { run_env_id: null, publish_id: null, publish_time: null, update_time: null, group_id: null }, {}],
  ['separators alone', { run_env_id: '|', publish_id: '|', publish_time: '|' }, {}],
  ['an environment alone', { run_env_id: 'e1' }, { e1: nothing }],
  ['an empty publish_id', { run_env_id: 'e1', publish_id: '', publish_time: '' }, { e1: nothing }],
  ['one of two known', { run_env_id: 'e1|e2', publish_id: '|p2' }, { e1: nothing, e2: { ...nothing, publishId: 'p2' } }],
  ['fewer IDs than environments', { run_env_id: 'e1|e2', publish_id: 'p2' }, { e1: nothing, e2: nothing }],
  ['more IDs than environments', { run_env_id: 'e1', publish_id: 'p1|p2' }, { e1: nothing }],
  ['fewer times than environments', { run_env_id: 'e1|e2', publish_time: time }, { e1: nothing, e2: nothing }],
  ['more times than environments', { run_env_id: 'e1', publish_time: `${time}|${time}` }, { e1: nothing }],
  [
    'an empty place between',
    { run_env_id: 'e1||e2', publish_id: 'p1||p2' },
    { e1: { ...nothing, publishId: 'p1' }, e2: { ...nothing, publishId: 'p2' } },
  ],
  ['a separator at the end', { run_env_id: 'e1|', publish_id: 'p1|' }, { e1: { ...nothing, publishId: 'p1' } }],
  [
    'blanks around',
    { run_env_id: ' e1 | e2', publish_id: ' p1|p2 ' },
    { e1: { ...nothing, publishId: 'p1' }, e2: { ...nothing, publishId: 'p2' } },
  ],
  ['the zero time', { run_env_id: 'e1', publish_time: '0001-01-01T00:00:00Z' }, { e1: nothing }],
  ['an invalid time', { run_env_id: 'e1', publish_time: 'yesterday' }, { e1: nothing }],
  [
    'nanoseconds and a zone',
    { run_env_id: 'e1|e2', publish_time: '2020-08-03T01:36:00.592970615Z|2020-08-03T09:36:00+08:00' },
    { e1: { ...nothing, publishedAtMs: secondMs + 592 }, e2: { ...nothing, publishedAtMs: secondMs } },
  ],
] as const) {
  test(`the environments of an API, with ${title}`, async () => {
    const api = await observed(fields);
    assert.equal(Object.fromEntries(api?.publications ?? []), expected);
  });
}

test('the last edit is known to the second, or unknown', async () => {
  for (const [text, expected] of [
    [time, secondMs],
    ['', null],
    ['0001-01-01T00:00:00Z', null],
    ['soon', null],
  ] as const) {
    assert.is((await observed({ update_time: text }))?.editedAtMs, expected);
  }
});

test('a single API is read by its ID', async () => {
  const body = { id: 'api-1', name: 'orders', run_env_id: 'e1' };
  const { read, requests } = await reading((response) => json(response, 200, body), readApi);
  assert.is(requests[0]?.path, `${prefix}/apis/api-1`);
  assert.equal([...(readValue(read)?.publications.keys() ?? [])], ['e1']);
});

test('only an API that does not exist is null', async () => {
  const absent = await reading((response) => json(response, 404, { error_code: 'APIG.3002', error_msg: 'x' }), readApi);
  assert.is(readValue(absent.read), null);
  for (const [status, code, failure] of [
    [404, 'APIG.3030', 'rejected APIG.3030'],
    [404, 'APIGW.0101', 'rejected APIGW.0101'],
    [403, 'APIG.1005', 'rejected APIG.1005'],
  ] as const) {
    const { read } = await reading((response) => json(response, status, { error_code: code, error_msg: 'x' }), readApi);
    assert.is(failureOf(read), failure);
  }
  assert.is(failureOf((await reading((response) => response.writeHead(404).end(), readApi)).read), 'rejected HTTP_404');
});

test('environments are read page by page', async () => {
  const all = Array.from({ length: 501 }, (_, index) => ({ id: `e${index}`, name: `env ${index}`, remark: 'x' }));
  const { read, requests } = await reading((response, request) => {
    const envs = all.slice(offsetOf(request), offsetOf(request) + 500);
    json(response, 200, { size: envs.length, total: all.length, envs });
  }, readEnvironments);
  assert.equal([readValue(read).length, readValue(read).at(-1), requests.length], [501, { id: 'e500', name: 'env 500' }, 2]);
  assert.is(requests[0]?.path, `${prefix}/envs?offset=0&limit=500`);
});

const listing: Answer = (response) =>
  json(response, 200, {
    size: 3,
    total: 3,
    api_versions: [
      { version_id: 'v3', version_no: '20200803013600', env_id: 'env-1', status: 1, remark: 'x [edict abc]', publish_time: time },
      { version_id: 'v2', env_id: 'env-1', status: 2 },
      { version_id: 'v1', env_id: 'env-2', status: 1 },
    ],
  });

test('lists the versions of an API in one environment', async () => {
  const { read, requests } = await reading(listing, readVersions);
  assert.is(requests[0]?.path, `${prefix}/apis/publish/api-1?env_id=env-1&limit=500`);
  assert.equal(read, {
    kind: 'read',
    value: [
      { versionId: 'v3', versionNumber: '20200803013600', remark: 'x [edict abc]', publishedAtMs: secondMs, isEffective: true },
      { versionId: 'v2', versionNumber: '', remark: '', publishedAtMs: null, isEffective: false },
    ],
  });
});

test('lists the versions of an API in all environments, page by page', async () => {
  const all = Array.from({ length: 501 }, (_, index) => ({ version_id: `v${index}`, env_id: `env-${index % 60}`, status: 2 }));
  const { read, requests } = await reading(
    (response, request) => {
      const page = all.slice(offsetOf(request), offsetOf(request) + 500);
      json(response, 200, { size: page.length, total: all.length, api_versions: page });
    },
    (gateway, signal) => gateway.listApiVersions('api-1', signal),
  );
  const versions = readValue(read) as ReadonlyMap<string, readonly ListedVersion[]>;
  assert.equal([versions.size, [...versions.values()].flat().length, versions.get('env-59')?.[0]?.versionId], [60, 501, 'v59']);
  assert.equal(
    requests.map(({ path }) => path),
    [`${prefix}/apis/publish/api-1?limit=500`, `${prefix}/apis/publish/api-1?offset=500&limit=500`],
  );
  const never = await reading(
    (response) => json(response, 404, { error_code: 'APIG.3015', error_msg: 'x' }),
    (gateway, signal) => gateway.listApiVersions('api-1', signal),
  );
  assert.equal(readValue(never.read), new Map());
});

for (const [title, answer, kind] of [
  [
    'an API that was never published has no versions',
    (response) => json(response, 404, { error_code: 'APIG.3015', error_msg: 'x' }),
    'read',
  ],
  ['a deleted API cannot be read', (response) => json(response, 404, { error_code: 'APIG.3002', error_msg: 'x' }), 'rejected'],
  [
    'without the right to read it cannot be read',
    (response) => json(response, 403, { error_code: 'APIG.1005', error_msg: 'x' }),
    'rejected',
  ],
  ['an internal gateway error is retried', (response) => json(response, 500, { error_code: 'APIG.9999', error_msg: 'x' }), 'retryable'],
  ['one page of many is not used', (response) => json(response, 200, { size: 0, total: 501, api_versions: [] }), 'retryable'],
  ['a response that violates the specification is not used', (response) => json(response, 200, { total: 0 }), 'retryable'],
] as const satisfies readonly (readonly [string, Answer, string])[]) {
  test(title, async () => assert.is((await reading(answer, readVersions)).read.kind, kind));
}

test('shows no token, wherever the gateway puts it', async () => {
  const api = {
    id: 't0ken',
    name: 'n t0ken',
    group_id: 't0ken',
    group_name: 't0ken',
    run_env_id: 't0ken|e t0ken',
    publish_id: 't0ken|t0ken',
    publish_time: 't0ken|t0ken',
  };
  const version = { version_id: 't0ken', version_no: 't0ken', env_id: 'env-1', status: 1 };
  const bodies = [
    { size: 1, total: 1, apis: [api] },
    { size: 1, total: 1, envs: [{ id: 't0ken', name: 't0ken' }] },
    { size: 1, total: 1, api_versions: [version] },
    api,
    { error_code: 'APIG.t0ken', error_msg: 'token t0ken', request_id: 't0ken' },
  ];
  for (const status of [200, 403, 500]) {
    for (const body of bodies) {
      for (const read of [readApis, readApi, readEnvironments, readVersions] as Reading[]) {
        const seen = await reading((response) => json(response, status, body, { 'x-request-id': 't0ken' }), read);
        assert.is(seen.requests[0]?.headers['x-auth-token'], 't0ken');
        assert.not.match(inspect(seen.read, { depth: 9 }), 't0ken');
      }
    }
  }
});

test('control characters are visible, and very long names are cut', async () => {
  const api = await observed({ group_name: 'a\u001b[31mb\nc', group_id: 'g'.repeat(500), run_env_id: 'e\u0000' });
  assert.equal([api?.group, api?.groupId.length, [...(api?.publications.keys() ?? [])]], ['a\\u{1b}[31mb c', 128, ['e\\u{0}']]);
});

test('an abort ends the read', async () => {
  const stop = new AbortController();
  const { read } = await reading(
    () => stop.abort(),
    (gateway) => gateway.listApis(stop.signal),
  );
  assert.is(failureOf(read), 'retryable INTERRUPTED');
});

test('sends nothing if it was aborted before', async () => {
  const { read, requests } = await reading(paged([]), (gateway) => gateway.listApis(AbortSignal.abort()));
  assert.equal([failureOf(read), requests.length], ['retryable REQUEST_NOT_SENT', 0]);
});

test('every page waits for the rate limiter', async () => {
  const server = await answeringServer(paged(numbered(1001)));
  let admitted = 0;
  const acquire = async (): Promise<() => void> => {
    admitted += 1;
    return () => {};
  };
  const gateway = openGatewayReader(settingsFor(server.url), givenToken('t0ken'), { acquire });
  assert.is(readValue(await gateway.listApis(new AbortController().signal)).size, 1001);
  assert.is(admitted, 3);
  await gateway.close();
  await server.close();
});

test.run();
