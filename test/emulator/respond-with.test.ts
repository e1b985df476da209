import { once } from 'node:events';
import { connect } from 'node:net';
import Fastify from 'fastify';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Delivery, respondWith } from '../../src/emulator/delivery.ts';

const response = { status: 201, headers: { 'x-more': '1' }, text: '{"name":"Grüße"}' };

/** Returns everything received over a raw socket until it is closed, or until `forMs` have passed. */
async function received(delivery: Delivery, forMs = 20_000): Promise<{ text: string; isClosed: boolean }> {
  const server = Fastify({ forceCloseConnections: true });
  server.get('/', (_request, reply) => respondWith(reply, delivery));
  const { port } = new URL(await server.listen({ port: 0, host: '127.0.0.1' }));
  const socket = connect(Number(port), '127.0.0.1').setEncoding('utf8');
  let text = '';
  socket.on('data', (piece: string) => {
    text += piece;
  });
  socket.write('GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n');
  const isClosed = await Promise.race([
    once(socket, 'close').then(
      () => true,
      () => true,
    ),
    new Promise<boolean>((resolve) => setTimeout(resolve, forMs, false).unref()),
  ]);
  socket.destroy();
  await server.close();
  return { text, isClosed };
}

test('a whole response has status, headers, type and length', async () => {
  const { text } = await received({ kind: 'whole', response });
  assert.match(text, /^HTTP\/1\.1 201 Created\r\n/);
  assert.match(text, 'x-more: 1\r\n');
  assert.match(text, 'content-type: application/json; charset=utf-8\r\n');
  assert.match(text, 'content-length: 18\r\n');
  assert.ok(text.endsWith('\r\n\r\n{"name":"Grüße"}'));
});

test('half a response has all headers, announces the whole body and ends in its middle', async () => {
  const { text, isClosed } = await received({ kind: 'half', response });
  assert.ok(isClosed);
  assert.match(text, /^HTTP\/1\.1 201 Created\r\n/);
  assert.match(text, 'x-more: 1\r\n');
  assert.match(text, 'content-type: application/json\r\n');
  assert.match(text, 'content-length: 18\r\n');
  assert.ok(text.endsWith('\r\n\r\n{"name":'), text);
});

test('a cut connection sends nothing', async () => {
  assert.equal(await received({ kind: 'cut' }), { text: '', isClosed: true });
});

test('a hanging one stays open and sends nothing', async () => {
  assert.equal(await received({ kind: 'hang' }, 200), { text: '', isClosed: false });
});

test.run();
