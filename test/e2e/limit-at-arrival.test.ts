import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { systemClock } from '../../src/app/context.ts';
import { RateLimiter } from '../../src/controller/limit/rate-limiter.ts';
import { openGateway } from '../../src/gateway/gateway.ts';
import type { RequestLimits } from '../../src/model/gateway.ts';
import { publicationKey } from '../../src/model/publication.ts';
import { fullestWindow } from '../chaos/rate.ts';
import { changeTo, settingsFor } from '../gateway/answering-server.ts';
import { givenToken } from '../support/credentials.ts';

/** How a server treats its connections. */
interface Manner {
  /** Resolves when a new connection is read. */
  readonly accept?: () => Promise<unknown>;
  /** Resolves when what has come is read: until then it waits in the socket. */
  readonly read?: () => Promise<unknown>;
  /** Resolves when a request is answered. */
  readonly answer?: () => Promise<unknown>;
  /** Whether each request needs a connection of its own. */
  readonly closes?: boolean;
}

/** Starts a server that notes when each request arrives, which is when it is read. */
async function recordingServer({ accept, read, answer, closes = false }: Manner) {
  const arrivedMs: number[] = [];
  const sockets = new Set<Socket>();
  const serve = async (socket: Socket): Promise<void> => {
    socket.on('error', () => {});
    sockets.add(socket);
    await accept?.();
    let seen = '';
    for await (const chunk of socket) {
      await read?.();
      seen += String(chunk);
      const [, head = '', body = ''] = /^(.*?\r\n)\r\n(.*)$/s.exec(seen) ?? [];
      if (head === '' || body.length < Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0)) continue;
      arrivedMs.push(performance.now());
      seen = '';
      await answer?.();
      const { api_id, env_id } = JSON.parse(body || '{}') as Record<string, string>;
      const isChange = head.startsWith('POST');
      const json = JSON.stringify(
        isChange ? { api_id, env_id, publish_id: 'p', version_id: 'v' } : { size: 0, total: 0, api_versions: [] },
      );
      const connection = closes ? 'Connection: close\r\n' : '';
      socket.write(
        `HTTP/1.1 ${isChange ? 201 : 200} OK\r\nContent-Type: application/json\r\n${connection}Content-Length: ${json.length}\r\n\r\n${json}`,
      );
      if (closes) return void socket.end();
    }
  };
  const server = createServer((socket) => void serve(socket).catch(() => undefined));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const close = (): void => {
    for (const socket of sockets) socket.destroy();
    server.close();
  };
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, arrivedMs, close };
}

/** Sends `count` changes and as many reads, all at once, and returns when each arrived. */
async function arrivals(limit: RequestLimits, manner: Manner, count: number): Promise<readonly number[]> {
  const server = await recordingServer(manner);
  const settings = settingsFor(server.url, { limit, timeoutMs: 10_000 });
  const limiter = new RateLimiter({ limit, clock: systemClock, initialDelayMs: 0 });
  const gateway = openGateway(settings, givenToken('t0ken'), { acquire: limiter.acquire });
  const { signal } = new AbortController();
  const options = { marker: null, isStillDesired: () => true, canSend: () => true };
  const kinds = await Promise.all(
    Array.from({ length: count }, async (_, index) => {
      const change = changeTo('online', { apiId: `api-${index}`, key: publicationKey(`api-${index}`, 'env-1') });
      const [sent, read] = await Promise.all([gateway.send(change, options, signal), gateway.listVersions(change, signal)]);
      return `${sent.kind} ${read.kind}`;
    }),
  );
  await gateway.close();
  limiter.close();
  server.close();
  assert.equal(new Set(kinds), new Set(['succeeded read']));
  return server.arrivedMs;
}

/** Returns a wait that lasts until the end of a freeze: the first `frozenMs` of every `everyMs`. */
function freezes(frozenMs: number, everyMs: number): () => Promise<unknown> {
  const startMs = performance.now();
  return () => {
    const intoMs = (performance.now() - startMs) % everyMs;
    return intoMs < frozenMs ? sleep(frozenMs - intoMs) : Promise.resolve();
  };
}

/** Returns a wait that is long at first, and none later. */
function slowAtFirst(slowMs: number, forMs: number): () => Promise<unknown> {
  const startMs = performance.now();
  return () => (performance.now() - startMs < forMs ? sleep(slowMs) : Promise.resolve());
}

const limits: readonly RequestLimits[] = [
  { calls: 1, perMs: 50, concurrency: 2 },
  { calls: 5, perMs: 100, concurrency: 4 },
  { calls: 20, perMs: 200, concurrency: 16 },
];
const manners: readonly (readonly [string, () => Manner])[] = [
  ['answers at once', () => ({})],
  ['is frozen now and then', () => ({ read: freezes(250, 400) })],
  ['is slow to accept connections', () => ({ accept: () => sleep(120), closes: true })],
  ['is slow to accept connections at first', () => ({ accept: slowAtFirst(200, 500), closes: true })],
  ['is slow to answer', () => ({ answer: () => sleep(80) })],
  ['turns from slow to fast', () => ({ answer: slowAtFirst(180, 600) })],
  ['reads late and turns from slow to fast', () => ({ read: slowAtFirst(180, 600), answer: slowAtFirst(60, 300) })],
];

for (const [title, manner] of manners) {
  test(`no window holds more than the limit at a gateway that ${title}`, async () => {
    const results = limits.map(async (limit) => {
      const count = limit.calls * 5;
      const arrivedMs = await arrivals(limit, manner(), count);
      assert.is(arrivedMs.length, 2 * count);
      const fullest = fullestWindow(arrivedMs, limit.perMs);
      assert.ok(fullest <= limit.calls, `${fullest} arrived in ${limit.perMs} ms, the limit is ${limit.calls}`);
    });
    await Promise.all(results);
  });
}

test.run();
