import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { systemClock } from '../../../src/app/context.ts';
import { openEnvSecret } from '../../../src/gateway/auth/env-secret.ts';
import { IssuedCredentials } from '../../../src/gateway/auth/issued-credentials.ts';
import { podIdentityIssuer, serverAgencyIssuer } from '../../../src/gateway/auth/temporary-keys.ts';
import { CredentialsError } from '../../../src/gateway/errors.ts';
import { headersOf } from '../../support/credentials.ts';
import { scratchFolder } from '../../support/edict-process.ts';
import { type Answer, answeringServer, json } from '../answering-server.ts';

const context = { project: 'project-1', clock: systemClock };
const signal = AbortSignal.timeout(30_000);
const expiry = (lifetimeMs = 86_400_000): string => new Date(Date.now() + lifetimeMs).toISOString();

/** The answer of a pod's agent, with all of its fields as the vendor's SDKs are tested with. */
const podKey = (access: string) => ({
  assumedAgency: { urn: '', id: '' },
  audience: '',
  credentials: { accessKeyId: access, secretAccessKey: 'sk', securityToken: 'st', expiration: expiry() },
  podIdentityAssociationId: '',
  subject: { namespace: '', serviceAccount: '' },
});
const serverKey = (access: string, lifetimeMs?: number) => ({
  credential: { access, secret: 'sk', securitytoken: 'st', expires_at: expiry(lifetimeMs) },
});

/** An answer of either service. */
const withSecurityToken = (token: unknown) => ({
  credentials: { ...podKey('AK').credentials, securityToken: token },
  credential: { ...serverKey('AK').credential, securitytoken: token },
});

async function podAt(answer: Answer) {
  const agent = await answeringServer(answer);
  const file = join(scratchFolder(), 'token');
  writeFileSync(file, 'pod-token\n');
  const token = openEnvSecret({ HC_CONTAINER_AUTHORIZATION_TOKEN_FILE: file }, 'HC_CONTAINER_AUTHORIZATION_TOKEN', systemClock.monotonicMs);
  if (token === null) throw new Error('no token');
  const credentials = new IssuedCredentials(podIdentityIssuer(`${agent.url}/v1/credentials`, token, context), { clock: systemClock });
  return { agent, file, credentials };
}

async function serverAt(answer: Answer, clock: { now(): number; monotonicMs(): number } = systemClock) {
  const metadata = await answeringServer(answer);
  return { metadata, credentials: new IssuedCredentials(serverAgencyIssuer(context, metadata.url), { clock }) };
}

const failure = async (credentials: IssuedCredentials): Promise<CredentialsError> => {
  const error: unknown = await credentials.authenticate(signal).catch((thrown: unknown) => thrown);
  assert.instance(error, CredentialsError);
  return error as CredentialsError;
};

test("a pod's agent gets the token of its file and gives a key that signs", async () => {
  const { agent, credentials } = await podAt((response) => json(response, 200, podKey('AK')));
  const headers = headersOf(await credentials.authenticate(signal));
  assert.match(headers['Authorization'] ?? '', 'Access=AK,');
  assert.equal([headers['X-Security-Token'], headers['X-Project-Id']], ['st', 'project-1']);
  const [request] = agent.requests;
  assert.equal([request?.method, request?.path, request?.body], ['POST', '/v1/credentials', '{}']);
  assert.is(request?.headers['authorization'], 'pod-token');
  await credentials.authenticate(signal);
  assert.is(agent.requests.length, 1);
  await agent.close();
});

test('a token that the agent refused is not sent again before its file changes', async () => {
  let status = 401;
  const { agent, file, credentials } = await podAt((response) =>
    json(response, status, status === 200 ? podKey('AK') : { error_msg: 'no such token pod-token' }),
  );
  const error = await failure(credentials);
  assert.equal([error.code, error.message.includes('pod-token')], ['CREDENTIALS_REJECTED', false]);
  await failure(credentials);
  assert.is(agent.requests.length, 1);
  status = 200;
  writeFileSync(file, 'another\n');
  await new Promise((resolve) => setTimeout(resolve, 600));
  while (credentials.retryInMs() > 0) await new Promise((resolve) => setTimeout(resolve, 20));
  await credentials.authenticate(signal);
  assert.is(agent.requests.at(-1)?.headers['authorization'], 'another');
  await agent.close();
});

test('a missing token file is an error that names its variable', async () => {
  const { agent, file, credentials } = await podAt((response) => json(response, 200, podKey('AK')));
  rmSync(file);
  assert.match((await failure(credentials)).message, 'HC_CONTAINER_AUTHORIZATION_TOKEN_FILE cannot be read');
  await agent.close();
});

for (const [what, status, body] of [
  ['an error', 503, { error_msg: 'later' }],
  ['no JSON', 200, '<html>'],
  ['nothing', 200, null],
  ['a key without a secret', 200, { credentials: { accessKeyId: 'AK', securityToken: 'st', expiration: expiry() } }],
  ['a key with a line break', 200, { credentials: { ...podKey('A\nK').credentials } }],
  ['a key without an end', 200, { credentials: { ...podKey('AK').credentials, expiration: 'soon' } }],
] as const) {
  test(`an agent that answers ${what} is asked again`, async () => {
    const { agent, credentials } = await podAt((response) =>
      agent.requests.length === 1 ? json(response, status, body) : json(response, 200, podKey('AK')),
    );
    assert.is((await failure(credentials)).code, 'TEMPORARY_KEY_UNAVAILABLE');
    await credentials.authenticate(signal);
    await agent.close();
  });
}

test("a server's metadata service gives a session, and the key for it", async () => {
  const { metadata, credentials } = await serverAt((response, request) =>
    request.method === 'PUT' ? void response.end('session-1') : json(response, 200, serverKey('AK')),
  );
  assert.match(headersOf(await credentials.authenticate(signal))['Authorization'] ?? '', 'Access=AK,');
  assert.equal(
    metadata.requests.map(({ method, path }) => `${method} ${path}`),
    ['PUT /meta-data/latest/api/token', 'GET /openstack/latest/securitykey'],
  );
  assert.is(metadata.requests[0]?.headers['x-metadata-token-ttl-seconds'], '60');
  assert.is(metadata.requests[1]?.headers['x-metadata-token'], 'session-1');
  await metadata.close();
});

for (const status of [400, 404, 405, 503]) {
  test(`a metadata service that has no sessions (${status}) gives the key without one`, async () => {
    const { metadata, credentials } = await serverAt((response, request) =>
      request.method === 'PUT' ? json(response, status, {}) : json(response, 200, serverKey('AK')),
    );
    await credentials.authenticate(signal);
    assert.is(metadata.requests[1]?.headers['x-metadata-token'], undefined);
    await metadata.close();
  });
}

test('a server without an agency is an error with the words of its metadata service', async () => {
  const { metadata, credentials } = await serverAt((response) => json(response, 401, 'Please configure Cloud Service Agency first'));
  const { code, message } = await failure(credentials);
  assert.is(code, 'TEMPORARY_KEY_UNAVAILABLE');
  assert.match(message, 'Please configure Cloud Service Agency first');
  await metadata.close();
});

for (const [lifetimeMs, keptMs] of [
  [86_400_000, 86_400_000 - 600_000],
  [1_200_000, 900_000],
] as const) {
  test(`a key that lives ${lifetimeMs / 60_000} minutes is replaced after ${keptMs / 60_000}`, async () => {
    const clock = { ms: 0, now: () => Date.now(), monotonicMs: () => clock.ms };
    const { metadata, credentials } = await serverAt(
      (response, request) => (request.method === 'PUT' ? void response.end('s') : json(response, 200, serverKey('AK', lifetimeMs))),
      clock,
    );
    await credentials.authenticate(signal);
    clock.ms = keptMs - 10_000;
    await credentials.authenticate(signal);
    assert.is(metadata.requests.length, 2);
    clock.ms = keptMs + 10_000;
    await credentials.authenticate(signal);
    assert.is(metadata.requests.length, 4);
    await metadata.close();
  });
}

test('a metadata service that does not answer is given up after three seconds', async () => {
  const { metadata, credentials } = await serverAt(() => {});
  assert.is((await failure(credentials)).code, 'TEMPORARY_KEY_UNAVAILABLE');
  await metadata.close();
});

const huge = 'x'.repeat(100_000);
const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
for (const [what, answer] of [
  ['a body over 16 MiB', (r) => r.end('x'.repeat(16 * 1024 * 1024 + 1))],
  ['JSON that is nested a hundred thousand times', (r) => r.end(`{"credential":${deep},"credentials":${deep}}`)],
  ['a redirect', (r) => r.writeHead(302, { location: 'http://127.0.0.1:9/' }).end()],
  ['a security token that fills a header', (r) => json(r, 200, withSecurityToken(huge))],
  ['a key that is an object', (r) => json(r, 200, withSecurityToken({ toString: 'x' }))],
  ['an answer without an end', (r) => r.write('{')],
  ['control characters', (r) => json(r, 500, 'a\u001b[2J\u202eb\nc')],
] as readonly (readonly [string, Answer])[]) {
  test(`hostile services of this machine: ${what}`, async () => {
    const { agent, credentials: ofPod } = await podAt(answer);
    const { metadata, credentials: ofServer } = await serverAt((response, request, count) =>
      request.method === 'PUT' ? void response.end('session') : answer(response, request, count),
    );
    for (const error of [await failure(ofPod), await failure(ofServer)]) {
      assert.is(error.code, 'TEMPORARY_KEY_UNAVAILABLE');
      assert.not.match(error.message, /\p{C}/u);
      assert.ok(error.message.length < 400, error.message);
    }
    await agent.close();
    await metadata.close();
  });
}

test('a session that fills a header is not sent', async () => {
  const { metadata, credentials } = await serverAt((response, request) =>
    request.method === 'PUT' ? void response.end(huge) : json(response, 200, serverKey('AK')),
  );
  await credentials.authenticate(signal);
  assert.is(metadata.requests[1]?.headers['x-metadata-token'], undefined);
  await metadata.close();
});

for (const status of [201, 203, 401, 500]) {
  test(`a key in an answer with ${status} is not shown`, async () => {
    const body = JSON.stringify({ ...podKey('AK'), ...serverKey('AK') })
      .replaceAll('"sk"', '"top-secret"')
      .slice(0, -1);
    const { agent, credentials: ofPod } = await podAt((response) => response.writeHead(status).end(body));
    const { metadata, credentials: ofServer } = await serverAt((response) => response.writeHead(status).end(body));
    for (const error of [await failure(ofPod), await failure(ofServer)]) {
      assert.match(error.message, `answered ${status}`);
      assert.not.match(inspect(error, { depth: 9 }), 'top-secret');
    }
    await agent.close();
    await metadata.close();
  });
}

for (const status of [408, 425, 429]) {
  test(`an agent that answers ${status} has not refused the token, and is asked again`, async () => {
    const { agent, credentials } = await podAt((response) =>
      agent.requests.length === 1 ? json(response, status, {}) : json(response, 200, podKey('AK')),
    );
    assert.is((await failure(credentials)).code, 'TEMPORARY_KEY_UNAVAILABLE');
    await credentials.authenticate(signal);
    await agent.close();
  });
}

test.run();
