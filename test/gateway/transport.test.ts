import { setTimeout as sleep } from 'node:timers/promises';
import createClient from 'openapi-fetch';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { paths } from '../../generated/roma-connect.d.ts';
import { type ConnectionError, ReadOnlyTransportError } from '../../src/gateway/errors.ts';
import { openTransport, type Transport } from '../../src/gateway/transport.ts';
import { answeringServer, json } from './answering-server.ts';

const writing = ['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'HEAD', 'post', 'get'];

function requestOf(transport: Transport, url: string, method: string): Request {
  return new transport.Request(url, { method, headers: new Headers() });
}

test('a dry run opens no connection for anything but GET', async () => {
  const server = await answeringServer((response) => json(response, 200, {}));
  const transport = openTransport({ mode: 'reads', connections: 4, timeoutMs: 1_000 });
  for (const method of writing) {
    const thrown: unknown = await transport.fetch(requestOf(transport, server.url, method)).catch((error: unknown) => error);
    assert.instance(thrown, ReadOnlyTransportError, method);
  }
  const client = createClient<paths>({ ...transport, baseUrl: server.url });
  const params = { path: { project_id: 'p', instance_id: 'i' }, header: { 'X-Auth-Token': 't' } };
  const thrown: unknown = await client
    .POST('/v2/{project_id}/apic/instances/{instance_id}/apis/action', { params, body: { action: 'online', api_id: 'a', env_id: 'e' } })
    .catch((error: unknown) => error);
  assert.instance(thrown, ReadOnlyTransportError);
  assert.is(server.connections(), 0);

  const read = await transport.fetch(requestOf(transport, server.url, 'GET'));
  assert.is(read.status, 200);
  assert.equal(
    server.requests.map(({ method }) => method),
    ['GET'],
  );
  await transport.close();
  await server.close();
});

test('keeps connections alive, up to the limit', async () => {
  const server = await answeringServer((response) => setTimeout(() => json(response, 200, {}), 5));
  const transport = openTransport({ mode: 'everything', connections: 3, timeoutMs: 5_000 });
  await Promise.all(Array.from({ length: 60 }, () => transport.fetch(requestOf(transport, server.url, 'POST'))));
  assert.is(server.requests.length, 60);
  assert.is(server.connections(), 3);
  await transport.close();
  await server.close();
});

test('consecutive calls use one connection', async () => {
  const server = await answeringServer((response) => json(response, 200, {}));
  const transport = openTransport({ mode: 'everything', connections: 1, timeoutMs: 5_000 });
  for (let call = 0; call < 20; call += 1) await transport.fetch(requestOf(transport, server.url, 'POST'));
  assert.is(server.connections(), 1);
  await transport.close();
  await server.close();
});

test('an idle connection that the server closed is not reused', async () => {
  const server = await answeringServer((response) => {
    const { socket } = response;
    json(response, 200, {});
    setTimeout(() => socket?.destroy(), 5);
  });
  const transport = openTransport({ mode: 'everything', connections: 1, timeoutMs: 5_000 });
  for (let call = 0; call < 3; call += 1) {
    assert.is((await transport.fetch(requestOf(transport, server.url, 'POST'))).status, 200);
    await sleep(50);
  }
  assert.is(server.connections(), 3);
  await transport.close();
  await server.close();
});

test('closing ends a call in flight without a response', async () => {
  const seen = Promise.withResolvers<void>();
  const server = await answeringServer(() => seen.resolve());
  const transport = openTransport({ mode: 'everything', connections: 1, timeoutMs: 5_000 });
  const call = transport.fetch(requestOf(transport, server.url, 'POST')).catch((error: unknown) => error);
  await seen.promise;
  await transport.close();
  assert.is(((await call) as ConnectionError).code, 'CONNECTION_LOST');
  const late = await transport.fetch(requestOf(transport, server.url, 'POST')).catch((error: unknown) => error);
  assert.is((late as ConnectionError).code, 'CONNECTION_FAILED');
  await server.close();
});

test.run();
