import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { encodeEvents, type StreamMessage, streamEvents } from '../../src/server/event-stream.ts';
import { eventually } from '../support/eventually.ts';

const test = suite('event stream');

/** A broadcaster whose events the test makes. */
function openBroadcast() {
  const senders = new Set<(message: StreamMessage) => void>();
  return {
    senders,
    send: (text: string): void => {
      for (const send of senders) send(encodeEvents(text));
    },
    subscribe: (send: (message: StreamMessage) => void) => {
      senders.add(send);
      return { whole: encodeEvents('event: live\ndata: 1\n\n'), unsubscribe: () => senders.delete(send) };
    },
  };
}

for (const [name, encoding] of [
  ['compressed', 'gzip'],
  ['plain, for a client that takes no gzip', 'identity'],
] as const) {
  test(`an event is sent at once, for as long as the client is connected, ${name}`, async () => {
    const broadcast = openBroadcast();
    const server = createServer((request, response) => void streamEvents(request, response, broadcast)).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const abort = new AbortController();
    const response = await fetch(`http://127.0.0.1:${port}`, { signal: abort.signal, headers: { 'accept-encoding': encoding } });
    assert.is(response.headers.get('content-type'), 'text/event-stream; charset=utf-8');
    assert.is(response.headers.get('cache-control'), 'no-store');
    assert.is(response.headers.get('content-encoding'), encoding === 'gzip' ? 'gzip' : null);
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    const next = async () => new TextDecoder().decode((await reader.read()).value);
    assert.is(await next(), 'event: live\ndata: 1\n\n');
    broadcast.send('event: cells\ndata: 2\n\n');
    assert.is(await next(), 'event: cells\ndata: 2\n\n');
    broadcast.send('event: cells\ndata: 2\n\n');
    assert.is(await next(), 'event: cells\ndata: 2\n\n', 'each message stands for itself');
    abort.abort();
    await eventually(() => broadcast.senders.size === 0, 60_000, 'nothing more is sent to a client that is gone');
    server.close();
  });
}

test('a client that does not read is disconnected, so that memory stays bounded', async () => {
  const broadcast = openBroadcast();
  const server = createServer((request, response) => void streamEvents(request, response, broadcast)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1').on('error', () => undefined);
  client.pause().write('GET / HTTP/1.1\r\nhost: localhost\r\n\r\n');
  await eventually(() => broadcast.senders.size === 1, 60_000, 'it is subscribed');
  const send = (): boolean => {
    broadcast.send(`data: ${randomBytes(512 * 1024).toString('base64')}\n\n`);
    return broadcast.senders.size === 0;
  };
  await eventually(send, 60_000, 'the connection is closed');
  client.destroy();
  server.close();
});

test.run();
