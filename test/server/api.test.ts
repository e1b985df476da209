import { Ajv2020 } from 'ajv/dist/2020.js';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { NewApproval } from '../../src/model/approval.ts';
import type { HistoryFilter } from '../../src/model/attempt.ts';
import type { Suspension } from '../../src/model/desired-state.ts';
import type { EdictEvent } from '../../src/model/events.ts';
import { diffStates } from '../../src/plan/diff.ts';
import { approvalDigest } from '../../src/plan/policies.ts';
import { readApiDocument } from '../../src/server/api-document.ts';
import { Broadcaster } from '../../src/server/broadcaster.ts';
import { StatusCache } from '../../src/server/status-cache.ts';
import { attempt, desiredState, recorded, recordedState, wanted } from '../support/states.ts';
import { startTestServer, type TestServer } from '../support/status-server.ts';

const test = suite('api');

interface Operation {
  readonly responses: Readonly<
    Record<string, { readonly $ref?: string; readonly content?: Readonly<Record<string, { readonly schema: object }>> }>
  >;
}
const document = JSON.parse(readApiDocument()) as {
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: object; responses: Record<string, Operation['responses'][string]> };
};
const ajv = new Ajv2020({ strict: false, allErrors: true });
ajv.addSchema({ $id: 'urn:edict:api', components: { schemas: document.components.schemas } }, 'urn:edict:api');

/** Asserts that a response matches the API description. */
function assertDescribed(method: string, path: string, status: number, body: unknown): void {
  const operation = document.paths[path.split('?')[0] ?? '']?.[method.toLowerCase()];
  const response = operation?.responses[String(status)];
  assert.ok(response, `${method} ${path} answers ${status}, which is not described`);
  const { content } = response?.$ref ? (document.components.responses[response.$ref.split('/').at(-1) ?? ''] ?? {}) : (response ?? {});
  const schema = content?.['application/json']?.schema;
  if (!schema) return;
  const validate = ajv.compile(JSON.parse(JSON.stringify(schema).replaceAll('#/components', 'urn:edict:api#/components')) as object);
  assert.ok(validate(body), `${method} ${path}: ${ajv.errorsText(validate.errors)}`);
}

const wantedOrders = wanted('orders', 'release', { state: 'offline' });
const desired = desiredState([wantedOrders, wanted('carts', 'test', { revision: 'r1' })], { protectedNames: ['release'] });
const was = recordedState([recorded('orders', 'release', { publishedAtMs: 1, editedAtMs: 2 }), recorded('old', 'test')]);
const plan = diffStates(desired, was);
const start: readonly EdictEvent[] = [
  { type: 'reconcile:started', reconcileId: 'p', cause: 'startup' },
  { type: 'file:loaded', desired },
  { type: 'plan:computed', reconcileId: 'p', cause: 'startup', plan, recorded: was },
];
const tried = attempt('carts', 'test', { id: 7, finishedAtMs: 2, outcome: 'succeeded', versionId: 'v' });

const statusCache = new StatusCache(() => 1000);
const daemonInfo = { version: '1', file: 'edict.yaml', approveCommand: () => 'edict approve' };
const broadcaster = new Broadcaster(statusCache, daemonInfo);
const asked: HistoryFilter[] = [];
const approved: NewApproval[] = [];
const suspensions: (Suspension | null)[] = [];
let resyncs = 0;
let monotonicMs = 0;
let server: TestServer;

test.before(async () => {
  server = await startTestServer({
    act: 'right',
    monotonicMs: () => monotonicMs,
    shown: {
      ...{ statusCache, broadcaster, daemonInfo, now: () => 5000 },
      history: async (_, filter) => {
        asked.push(filter);
        return [tried];
      },
      approvals: async () => [
        {
          id: 1,
          digest: 'sha256:0',
          by: 'ada',
          reason: 'CHG',
          approvedAtMs: 1,
          expiresAtMs: 2,
          scope: [],
          usedKeys: new Set(),
          isFileHoldReleased: false,
        },
      ],
      approve: async (_, approval) => void approved.push(approval),
      suspend: async (_, suspension) => void suspensions.push(suspension),
      resync: async () => {
        resyncs += 1;
      },
    },
  });
});
test.after(() => server.close());

async function ask(method: string, path: string, body: unknown = undefined, token: string | null = null) {
  const response = await fetch(server.url + path, {
    method,
    headers: {
      ...(token !== null && { authorization: `Bearer ${token}` }),
      ...(body !== undefined && { 'content-type': 'application/json' }),
    },
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  const answer = text === '' ? null : (JSON.parse(text) as Record<string, unknown>);
  assertDescribed(method, path, response.status, answer);
  return { status: response.status, answer: answer as Record<string, unknown> };
}

test('before the first plan there is a status, and no plan or history', async () => {
  assert.equal((await ask('GET', '/api/v1/status')).answer['publications'], []);
  for (const path of ['/api/v1/plan', '/api/v1/history']) assert.is((await ask('GET', path)).status, 503, path);
  for (const event of start) statusCache.emit(event);
});

test('the status has every publication, or those of one API', async () => {
  const statusCounts = async (query = '') =>
    ((await ask('GET', `/api/v1/status${query}`)).answer['publications'] as { api: string; status: string }[]).map(
      ({ api, status }) => `${api} ${status}`,
    );
  assert.equal(await statusCounts(), ['orders held', 'carts pending', 'old unmanaged']);
  assert.equal(await statusCounts('?api=api-carts'), ['carts pending']);
  assert.equal(await statusCounts('?api=nobody'), []);
});

test('the plan equals the one of edict plan', async () => {
  const { answer } = await ask('GET', '/api/v1/plan');
  assert.equal([answer['approvalDigest'], (answer['changes'] as unknown[]).length], [approvalDigest(plan), 2]);
});

test('the history is filtered by name or ID, and limited', async () => {
  await ask('GET', '/api/v1/history');
  await ask('GET', '/api/v1/history?api=carts&environment=test&limit=7');
  assert.equal(asked, [{ limit: 50 }, { apis: ['carts'], environments: ['test'], limit: 7 }]);
});

test('the event stream starts with the whole state', async () => {
  const abort = new AbortController();
  const response = await fetch(`${server.url}/api/v1/events`, { signal: abort.signal });
  const { value } = await (response.body as ReadableStream<Uint8Array>).getReader().read();
  const [daemon = '', cells = ''] = new TextDecoder().decode(value).split('\n\n');
  for (const [text, name] of [
    [daemon, 'DaemonStatus'],
    [cells, 'Cells'],
  ] as const) {
    const validate = ajv.compile({ $ref: `urn:edict:api#/components/schemas/${name}` });
    assert.ok(validate(JSON.parse(/^data: (.*)$/m.exec(text)?.[1] ?? '')), `${name}: ${ajv.errorsText(validate.errors)}`);
  }
  abort.abort();
});

for (const path of [
  '/api/v1/history?limit=0',
  '/api/v1/history?limit=many',
  '/api/v1/history?other=1',
  `/api/v1/status?api=${'x'.repeat(201)}`,
]) {
  test(`rejects GET ${path.slice(0, 40)}`, async () => assert.is((await ask('GET', path)).status, 400));
}

test('nobody acts without the token, whatever else a request holds', async () => {
  for (const token of [null, 'wrong', '']) {
    assert.is((await ask('POST', '/api/v1/resync', undefined, token)).status, 401);
    assert.is((await ask('POST', '/api/v1/approvals', { digest: approvalDigest(plan), by: 'ada', reason: 'CHG' }, token)).status, 401);
    assert.is((await ask('POST', '/api/v1/approvals', 'not JSON', token)).status, 401);
    // An address that sends many wrong tokens must wait: test/server/access-control.test.ts.
    monotonicMs += 3_600_000;
  }
  assert.equal([resyncs, approved.length], [0, 0]);
});

test('triggers a reconciliation', async () => {
  assert.is((await ask('POST', '/api/v1/resync', undefined, 'right')).status, 202);
  assert.is(resyncs, 1);
});

test('approves exactly what is held', async () => {
  const approval = { digest: approvalDigest(plan), by: 'ada', reason: 'CHG-7' };
  const { status, answer } = await ask('POST', '/api/v1/approvals', approval, 'right');
  assert.equal([status, answer['expiresAt']], [201, '1970-01-01T01:00:05Z']);
  assert.equal(approved, [
    { digest: approval.digest, by: 'ada', reason: 'CHG-7', approvedAtMs: 5000, expiresAtMs: 3_605_000, scope: approved[0]?.scope ?? [] },
  ]);
  assert.is(approved[0]?.scope.length, 1);
  const other = await ask('POST', '/api/v1/approvals', { ...approval, digest: `sha256:${'0'.repeat(64)}` }, 'right');
  assert.is(other.status, 409);
});

for (const [name, body] of [
  ['nothing', {}],
  ['no digest', { digest: 'sha256:1', by: 'ada', reason: 'CHG' }],
  ['no name', { digest: `sha256:${'0'.repeat(64)}`, by: '', reason: 'CHG' }],
  ['an unknown key', { digest: `sha256:${'0'.repeat(64)}`, by: 'ada', reason: 'CHG', force: true }],
  ['a duration over the maximum', { digest: `sha256:${'0'.repeat(64)}`, by: 'ada', reason: 'CHG', expiresAfter: '192h' }],
  ['an invalid duration', { digest: `sha256:${'0'.repeat(64)}`, by: 'ada', reason: 'CHG', expiresAfter: 'soon' }],
  ['broken JSON', '{"digest":'],
] as const) {
  test(`an approval with ${name} is rejected`, async () => assert.is((await ask('POST', '/api/v1/approvals', body, 'right')).status, 400));
}

test('suspends for a time or without an end, and resumes', async () => {
  assert.is((await ask('PUT', '/api/v1/suspension', { by: 'ada', reason: 'INC-1', for: '2h' }, 'right')).status, 204);
  assert.is((await ask('PUT', '/api/v1/suspension', { by: 'ada', reason: 'INC-1' }, 'right')).status, 204);
  assert.is((await ask('DELETE', '/api/v1/suspension', undefined, 'right')).status, 204);
  const suspension = { by: 'ada', reason: 'INC-1', sinceMs: 5000 };
  assert.equal(suspensions, [{ ...suspension, untilMs: 7_205_000 }, { ...suspension, untilMs: null }, null]);
  for (const body of [
    { by: 'ada' },
    { by: '', reason: 'INC-1' },
    { by: 'ada', reason: 'INC-1', for: 'ever' },
    { by: 'ada', reason: 'INC-1', for: '0s' },
  ]) {
    assert.is((await ask('PUT', '/api/v1/suspension', body, 'right')).status, 400, JSON.stringify(body));
  }
  assert.is((await ask('PUT', '/api/v1/suspension', { by: 'eve', reason: 'fun' })).status, 401);
  assert.is((await ask('DELETE', '/api/v1/suspension')).status, 401);
  assert.is(suspensions.length, 3);
});

test('the files are listed', async () => {
  const { answer } = await ask('GET', '/api/v1/files');
  assert.equal(
    (answer['files'] as { path: string; page: string }[]).map(({ path, page }) => [path, page]),
    [['edict.yaml', '/']],
  );
});

test('the API description can be read', async () => {
  assert.equal(await (await fetch(`${server.url}/api/v1/openapi.json`)).json(), document);
});

test.run();
