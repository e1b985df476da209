import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { streamEvents } from '../../src/server/broadcaster.ts';
import { eventually } from '../support/eventually.ts';

const test = suite('event stream');

test('an event is sent at once, for as long as the client is connected', async () => {
  const senders = new Set<(message: Buffer) => void>();
  const broadcast = {
    subscribe: (send: (message: Buffer) => void) => {
      senders.add(send);
      send(Buffer.from('event: live\ndata: 1\n\n'));
      return () => senders.delete(send);
    },
  };
  const server = createServer((_, response) => streamEvents(response, broadcast)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const abort = new AbortController();
  const response = await fetch(`http://127.0.0.1:${port}`, { signal: abort.signal });
  assert.is(response.headers.get('content-type'), 'text/event-stream; charset=utf-8');
  assert.is(response.headers.get('cache-control'), 'no-store');
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  const next = async () => new TextDecoder().decode((await reader.read()).value);
  assert.is(await next(), 'event: live\ndata: 1\n\n');
  for (const send of senders) send(Buffer.from('event: cells\ndata: 2\n\n'));
  assert.is(await next(), 'event: cells\ndata: 2\n\n');
  abort.abort();
  await eventually(() => senders.size === 0, 60_000, 'nothing more is sent to a client that is gone');
  server.close();
});

test('a client that does not read is disconnected, so that memory stays bounded', async () => {
  let subscriber: ((message: Buffer) => void) | null = null;
  const broadcast = {
    subscribe: (send: (message: Buffer) => void) => {
      subscriber = send;
      return () => {
        subscriber = null;
      };
    },
  };
  const server = createServer((_, response) => streamEvents(response, broadcast)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1').on('error', () => undefined);
  client.pause().write('GET / HTTP/1.1\r\nhost: localhost\r\n\r\n');
  await eventually(() => subscriber !== null, 60_000, 'it is subscribed');
  const message = Buffer.from(`data: ${'x'.repeat(1024 * 1024)}\n\n`);
  const send = (): boolean => {
    (subscriber as ((message: Buffer) => void) | null)?.(message);
    return subscriber === null;
  };
  await eventually(send, 60_000, 'the connection is closed');
  client.destroy();
  server.close();
});

test.run();
