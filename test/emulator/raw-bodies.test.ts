import Fastify from 'fastify';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { captureRawBodies } from '../../src/emulator/emulator.ts';

/** A server that returns the bytes of a body and its parsed value. */
function open() {
  const server = Fastify();
  const rawBody = captureRawBodies(server);
  server.post('/', async (request) => ({ raw: rawBody(request).toString('hex'), body: request.body ?? null }));
  server.get('/', async (request) => ({ raw: rawBody(request).toString('hex') }));
  return server;
}

const json = { 'content-type': 'application/json' };

const payload = ' { "a" : "ü" }\n';

test('a signed body keeps its bytes beside its parsed value', async () => {
  const answer = await open().inject({ method: 'POST', url: '/', headers: { ...json, authorization: 'x' }, payload });
  assert.equal(answer.json(), { raw: Buffer.from(payload).toString('hex'), body: { a: 'ü' } });
});

test('a body without a signature keeps no bytes', async () => {
  const answer = await open().inject({ method: 'POST', url: '/', headers: json, payload });
  assert.equal(answer.json(), { raw: '', body: { a: 'ü' } });
});

test('a request without a body has none', async () => {
  assert.equal((await open().inject({ method: 'GET', url: '/' })).json(), { raw: '' });
});

for (const payload of ['', '{', '{"__proto__": 1}']) {
  test(`rejects the body ${payload || 'that is empty'} as fastify does`, async () => {
    const server = Fastify();
    server.post('/', async () => 'taken');
    const given = { method: 'POST', url: '/', headers: json, payload } as const;
    const [own, usual] = [await open().inject(given), await server.inject(given)];
    assert.is(own.statusCode, 400);
    assert.equal(own.json(), usual.json());
  });
}

test.run();
