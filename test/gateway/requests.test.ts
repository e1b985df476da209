import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { openGateway } from '../../src/gateway/gateway.ts';
import type { SendBatchResult } from '../../src/gateway/interface.ts';
import type { Change } from '../../src/model/change.ts';
import type { Outcome } from '../../src/model/outcome.ts';
import { publicationKey } from '../../src/model/publication.ts';
import { givenToken } from '../support/credentials.ts';
import { type Answer, answeringServer, changeTo, json, type SeenRequest, settingsFor } from './answering-server.ts';

const { signal } = new AbortController();
const instance = '/v2/project-1/apic/instances/instance-1';
const made = (apiId: string, more: object = {}) => ({ api_id: apiId, env_id: 'env-1', version_id: 'v2', publish_id: 'p', ...more });
const changesTo = (...apiIds: string[]): Change[] =>
  apiIds.map((apiId) => changeTo('online', { apiId, key: publicationKey(apiId, 'env-1'), remark: 'release 7' }));

async function through<T>(answer: Answer, use: (gateway: ReturnType<typeof openGateway>) => Promise<T>) {
  const server = await answeringServer(answer);
  const gateway = openGateway(settingsFor(server.url), givenToken('t0ken'));
  const result = await use(gateway);
  await gateway.close();
  await server.close();
  return { result, requests: server.requests };
}

const switchTo = (answer: Answer): Promise<{ result: Outcome; requests: readonly SeenRequest[] }> =>
  through(answer, (gateway) =>
    gateway.send(changeTo('online', { version: 'v2' }), { marker: null, isStillDesired: () => true, canSend: () => true }, signal),
  );

test('a change to a version is a switch, which creates no new version', async () => {
  const { result, requests } = await switchTo((response) => json(response, 200, made('api-1')));
  assert.equal(result, { kind: 'succeeded', versionId: 'v2', publishId: 'p' });
  assert.equal([requests[0]?.method, requests[0]?.path], ['PUT', `${instance}/apis/publish/api-1`]);
  assert.equal(JSON.parse(requests[0]?.body ?? ''), { version_id: 'v2' });
});

const switched: readonly (readonly [string, Answer, Outcome['kind'], string])[] = [
  ['no such version', (r) => json(r, 404, { error_code: 'APIG.3022', error_msg: 'x' }), 'rejected', 'APIG.3022'],
  ['another version', (r) => json(r, 200, made('api-1', { version_id: 'v3' })), 'unknown', 'INVALID_RESPONSE'],
  ['another API', (r) => json(r, 200, made('api-2')), 'unknown', 'INVALID_RESPONSE'],
  ['a 201', (r) => json(r, 201, made('api-1')), 'unknown', 'INVALID_RESPONSE'],
];
for (const [title, answer, kind, code] of switched) {
  test(`a switch with ${title} as response is ${kind}`, async () => {
    const { result } = await switchTo(answer);
    assert.equal([result.kind, 'failure' in result ? result.failure.code : null], [kind, code]);
  });
}

const together = (answer: Answer, ...apiIds: string[]): Promise<{ result: SendBatchResult; requests: readonly SeenRequest[] }> =>
  through(answer, (gateway) =>
    gateway.sendBatch(changesTo(...apiIds), { marker: 'abc', isStillDesired: ({ apiId }) => apiId !== 'no', canSend: () => true }, signal),
  );
const kindsOf = ({ outcomes }: SendBatchResult): string[] => outcomes.map(({ kind }) => kind);
/** Responds to a batch like the service: an API named `bad…` fails individually. */
const service: Answer = (response, { body }) => {
  const { apis = [] } = JSON.parse(body) as { apis?: string[] };
  const failure = apis.filter((api) => api.startsWith('bad')).map((api) => ({ api_id: api, error_code: 'APIG.3002', error_msg: 'x' }));
  json(response, 200, { success: apis.filter((api) => !api.startsWith('bad')).map((api) => made(api)), failure });
};

test('a batch is one request, without changes that are no longer needed', async () => {
  const { result, requests } = await together(service, 'a', 'no', 'bad', 'b');
  assert.equal(requests.length, 1);
  assert.is(requests[0]?.path, `${instance}/apis/publish?action=online`);
  assert.equal(JSON.parse(requests[0]?.body ?? ''), { apis: ['a', 'bad', 'b'], env_id: 'env-1', remark: 'release 7 [edict abc]' });
  assert.equal(kindsOf(result), ['succeeded', 'superseded', 'rejected', 'succeeded']);
  assert.is(result.isSameFailure, false);
});

test('sends nothing if no change is needed any more', async () => {
  const { result, requests } = await together(service, 'no');
  assert.equal([kindsOf(result), requests.length], [['superseded'], 0]);
});

test('a batch that is rejected as a whole is split until the change that causes it stands alone', async () => {
  const picky: Answer = (response, request, count) => {
    const { apis, api_id: api } = JSON.parse(request.body) as { apis?: string[]; api_id?: string };
    if ((apis ?? [api]).includes('bad')) json(response, 400, { error_code: 'APIG.2012', error_msg: 'x' });
    else if (apis) service(response, request, count);
    else json(response, 201, made(api ?? ''));
  };
  const { result, requests } = await together(picky, 'a', 'b', 'c', 'bad', 'd', 'e');
  assert.equal(kindsOf(result), ['succeeded', 'succeeded', 'succeeded', 'rejected', 'succeeded', 'succeeded']);
  assert.ok(result.isSameFailure);
  const sizes = requests.map(({ body }) => ((JSON.parse(body) as { apis?: string[] }).apis ?? ['one']).length);
  assert.equal(sizes, [6, 3, 3, 2, 1, 1, 1]);
});

const whole: readonly (readonly [string, Answer, string])[] = [
  ['throttled', (r) => json(r, 429, { error_code: 'APIG.0308', error_msg: 'x' }), 'throttled'],
  ['rejected for its credentials', (r) => json(r, 401, { error_code: 'APIG.1002', error_msg: 'x' }), 'unauthorized'],
  ['internal error of the gateway', (r) => json(r, 500, { error_code: 'APIG.9999', error_msg: 'x' }), 'unknown'],
  ['cut', (r) => r.socket?.resetAndDestroy(), 'unknown'],
];
for (const [title, answer, kind] of whole) {
  test(`a batch that is ${title} is ${kind} for all of it, after one request`, async () => {
    const { result, requests } = await together(answer, 'a', 'b');
    assert.equal([kindsOf(result), result.isSameFailure, requests.length], [[kind, kind], true, 1]);
  });
}

const unproven = [200, 201, 202, 203, 204, 205, 206, 226, 300, 301, 302, 303, 304, 305, 307, 308, 399, 600, 999];
test('a status that does not prove that nothing happened leaves every change unknown', async () => {
  const headers = { location: 'https://elsewhere.example.com/' };
  for (const status of unproven) {
    const answer: Answer = (response) => void response.writeHead(status, headers).end();
    const [one, off, moved, batch] = await Promise.all([
      through(answer, (gateway) =>
        gateway.send(changeTo('online'), { marker: 'abc', isStillDesired: () => true, canSend: () => true }, signal),
      ),
      through(answer, (gateway) =>
        gateway.send(changeTo('offline'), { marker: null, isStillDesired: () => true, canSend: () => true }, signal),
      ),
      switchTo(answer),
      together(answer, 'a', 'b'),
    ]);
    const kinds = [one.result.kind, off.result.kind, moved.result.kind, ...kindsOf(batch.result)];
    assert.equal(kinds, Array(5).fill('unknown'), String(status));
    assert.equal(
      [one, off, moved, batch].map(({ requests }) => requests.length),
      [1, 1, 1, 1],
      String(status),
    );
  }
});

test.run();
