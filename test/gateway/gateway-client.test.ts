import { inspect } from 'node:util';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Credentials, type RequestAuth, tokenAuth } from '../../src/gateway/auth/credentials.ts';
import { GatewayError } from '../../src/gateway/errors.ts';
import { authHeaderPlaceholder, GatewayClient, type RequestContext, type RomaClient } from '../../src/gateway/gateway-client.ts';
import type { RequestResult } from '../../src/gateway/interface.ts';
import { parseResponse } from '../../src/gateway/response.ts';
import { type Answer, answeringServer, json, settingsFor } from './answering-server.ts';

const none: Answer = (response) => json(response, 200, { size: 0, total: 0, envs: [] });
const refused: Answer = (response) => json(response, 401, { error_code: 'APIG.1002', error_msg: 'Incorrect token' });

/** Credentials that record their calls and allow as many retries as `renewals` says. */
function recording(renewals: number): Credentials & { readonly results: string[]; proofs: number } {
  const recorded = { results: [] as string[], proofs: 0 };
  const authenticate = async (): Promise<RequestAuth> => {
    recorded.proofs += 1;
    return tokenAuth(`t0ken-${recorded.proofs}`);
  };
  const report = (used: RequestAuth, result: 'accepted' | 'rejected' | 'unknown'): boolean => {
    recorded.results.push(`${used.secrets[0]} ${result}`);
    return result === 'rejected' && recorded.proofs <= renewals;
  };
  return Object.assign(recorded, { authenticate, report, retryInMs: () => Number.POSITIVE_INFINITY, reset: () => {} });
}

/** The request that all tests make. */
async function environments(client: RomaClient, { path, secrets, ...one }: RequestContext) {
  const answer = await client.GET('/v2/{project_id}/apic/instances/{instance_id}/envs', {
    params: { path, header: authHeaderPlaceholder },
    parseAs: 'text',
    ...one,
  });
  return parseResponse('listEnvironments', answer, { secrets, nowMs: Date.now() });
}

/** Makes one call, and returns its result and the calls of the credentials. */
async function called(answer: Answer, { renewals = 0, signal = new AbortController().signal } = {}) {
  const server = await answeringServer(answer);
  const credentials = recording(renewals);
  const ends: RequestResult['kind'][] = [];
  const admit = async () => (end: RequestResult) => void ends.push(end.kind);
  const caller = new GatewayClient(settingsFor(server.url), { credentials, acquire: admit, mode: 'reads' });
  const result = await caller.call(signal, environments).catch((error: unknown) => error);
  const code = result instanceof GatewayError ? result.code : null;
  const shown = inspect([result, caller], { depth: 9, showHidden: true });
  await caller.close();
  await server.close();
  return { code, results: credentials.results, ends, requests: server.requests, shown };
}

test('puts the project and instance into the path and the credentials into the header', async () => {
  const { code, requests, results, ends } = await called(none);
  assert.is(requests[0]?.path, '/v2/project-1/apic/instances/instance-1/envs');
  assert.is(requests[0]?.headers['x-auth-token'], 't0ken-1');
  assert.equal([code, results, ends], [null, ['t0ken-1 accepted'], ['answered']]);
});

test('names the gateway', async () => {
  const caller = new GatewayClient(settingsFor('http://127.0.0.1:1'), { credentials: recording(0), acquire: undefined, mode: 'reads' });
  assert.equal(caller.identity, { endpoint: 'http://127.0.0.1:1', project: 'project-1', instance: 'instance-1' });
  await caller.close();
});

test('retries once with new credentials, if there are any', async () => {
  const { code, requests, results, ends } = await called((...args) => (args[2] === 1 ? refused : none)(...args), { renewals: 1 });
  assert.equal([code, requests.length, ends], [null, 2, ['answered', 'answered']]);
  assert.equal(results, ['t0ken-1 rejected', 't0ken-2 accepted']);
});

test('never sends a third time', async () => {
  const { code, requests } = await called(refused, { renewals: 9 });
  assert.equal([code, requests.length], ['APIG.1002', 2]);
});

test('does not send the same credentials a second time', async () => {
  const { code, requests, results } = await called(refused);
  assert.equal([code, requests.length, results], ['APIG.1002', 1, ['t0ken-1 rejected']]);
});

for (const [title, answer, code, result, end] of [
  ['of the gateway', (r) => json(r, 404, { error_code: 'APIG.3030', error_msg: 'x' }), 'APIG.3030', 'accepted', 'answered'],
  ['of a proxy', (r) => r.writeHead(502).end('<h1>Bad Gateway</h1>'), 'HTTP_502', 'unknown', 'answered'],
  ['that violates the specification', (r) => json(r, 200, {}), 'INVALID_RESPONSE', 'unknown', 'answered'],
  ['that throttles', (r) => json(r, 429, { error_code: 'APIG.0308', error_msg: 'x' }), 'APIG.0308', 'accepted', 'throttled'],
  ['that never comes', (r) => r.destroy(), 'CONNECTION_LOST', 'unknown', 'lost'],
] as const satisfies readonly (readonly [string, Answer, string, string, RequestResult['kind']])[]) {
  test(`a response ${title} leaves the credentials ${result}, and is not retried`, async () => {
    const { requests, ...seen } = await called(answer, { renewals: 9 });
    assert.equal([seen.code, seen.results, seen.ends, requests.length], [code, [`t0ken-1 ${result}`], [end], 1]);
  });
}

test('shows no credentials, neither in itself nor in an error', async () => {
  const { shown } = await called((response) => json(response, 400, { error_code: 'APIG.2000', error_msg: 'token t0ken-1' }));
  assert.not.match(shown, 't0ken');
});

test('an error that is not from the gateway is a bug, and is rethrown as it is', async () => {
  const caller = new GatewayClient(settingsFor('http://127.0.0.1:1'), { credentials: recording(9), acquire: undefined, mode: 'reads' });
  const bug = new TypeError('a bug');
  const result = await caller.call(new AbortController().signal, () => Promise.reject(bug)).catch((error: unknown) => error);
  assert.is(result, bug);
  await caller.close();
});

test('a read-only client sends nothing but reads', async () => {
  const server = await answeringServer(none);
  const caller = new GatewayClient(settingsFor(server.url), { credentials: recording(0), acquire: undefined, mode: 'reads' });
  const result = await caller
    .call(new AbortController().signal, (client, { path, secrets: _, ...one }) =>
      client.POST('/v2/{project_id}/apic/instances/{instance_id}/apis/action', {
        params: { path, header: authHeaderPlaceholder },
        body: { action: 'online', api_id: 'a', env_id: 'e' },
        ...one,
      }),
    )
    .catch((error: unknown) => error);
  assert.match(String(result), /POST/);
  assert.is(server.requests.length, 0);
  await caller.close();
  await server.close();
});

test.run();
