/*
 * The page and the HTTP API hold.
 *
 * A viewer is whoever reaches the port of the daemon: a colleague, another machine, a page that a browser has open. Without a token a viewer may
 * read, if the operator did not set EDICT_READ_TOKEN, and never act. No number of clients, and nothing that they send or do not read, may cost much
 * memory, stop the answers to health checks, or tell a token.
 */
import { writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Attempt } from '../../src/model/attempt.ts';
import { diffStates } from '../../src/plan/diff.ts';
import { readApiDocument } from '../../src/server/api-document.ts';
import { startLoggedDaemon } from '../support/daemon.ts';
import { edict } from '../support/edict-command.ts';
import { fileOf, scratchFolder } from '../support/edict-process.ts';
import { eventually } from '../support/eventually.ts';
import { RawClient } from '../support/raw-client.ts';
import { attempt, desiredState, recorded, recordedState, wanted } from '../support/states.ts';
import { startTestServer, type TestServer, type TestServerOptions } from '../support/status-server.ts';

const test = suite('attacks by viewers');

/** How long anything may take; it is never reached. */
const hangMs = 120_000;

const actToken = 'canary-act-5ecret-0123';
const readToken = 'canary-read-5ecret-0123';

let server: TestServer;
let clients: RawClient[] = [];
let actions = 0;

async function start(options: TestServerOptions = {}): Promise<void> {
  await server?.close();
  const act = async (): Promise<void> => {
    actions += 1;
  };
  server = await startTestServer({ ...options, shown: { approve: act, suspend: act, resync: act, ...options.shown } });
}

test.before.each(() => {
  actions = 0;
  clients = [];
});
test.after.each(async () => {
  for (const client of clients) client.close();
  await server?.close();
});

/** Opens a connection from an address of this machine. */
function client(from?: string): RawClient {
  const opened = new RawClient(server.url, from);
  clients.push(opened);
  return opened;
}

/** Plans so many publications, three for each API, whose name ends with `suffix`. */
function plan(count: number, suffix = ''): void {
  const names = Array.from({ length: count / 3 }, (_, index) => `api-of-a-team-${index}${suffix}`);
  const environments = ['test', 'stage', 'release'];
  const desired = desiredState(names.flatMap((name) => environments.map((environment) => wanted(name, environment))));
  const was = recordedState(names.flatMap((name) => environments.map((environment) => recorded(name, environment))));
  server.statusCache.emit({ type: 'file:loaded', desired });
  server.statusCache.emit({ type: 'plan:computed', reconcileId: 'p', cause: 'file', plan: diffStates(desired, was), recorded: was });
}

/** Asserts that a health check on a new connection is answered, as a kubelet asks. */
async function assertAlive(from = '127.0.0.1'): Promise<void> {
  const probe = client(from).get('/livez', { connection: 'close' }).read();
  await eventually(() => probe.isClosed || probe.text.includes('alive\n'), hangMs, 'the health check is answered');
  assert.match(probe.text, /^HTTP\/1\.1 200 OK\r\n[\s\S]*alive\n$/);
}

const openConnections = (): number => clients.filter(({ isClosed }) => !isClosed).length;

const addresses = ['127.0.0.1', '127.0.0.2', '127.0.0.3', '127.0.0.4'];

for (const [title, path, from] of [
  ['of the status, on one address', '/api/v1/status', addresses.slice(0, 1)],
  ['of the status, on four', '/api/v1/status', addresses],
  ['of the events, on four', '/api/v1/events', addresses],
] as const) {
  test(`viewer: 400 requests ${title}, whose answers of 10,000 cells are never read`, async () => {
    await start();
    plan(9999);
    await (await fetch(`${server.url}/api/v1/status`)).text();
    await assertAlive();
    const before = process.memoryUsage().rss;
    for (let index = 0; index < 400; index += 1) client(from[index % from.length]).get(path);
    let most = 0;
    for (let count = 0; count < 20; count += 1) {
      await assertAlive();
      most = Math.max(most, process.memoryUsage().rss);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    assert.ok(most - before < 100e6, `it cost ${Math.round((most - before) / 1e6)} MB`);
  });
}

test('viewer: answers of an ever new status, whose old ones are never read', async () => {
  await start();
  plan(9999);
  await (await fetch(`${server.url}/api/v1/status`)).text();
  const before = process.memoryUsage().rss;
  for (let revision = 0; revision < 5; revision += 1) {
    server.statusCache.emit({ type: 'lease:acquired' });
    for (let index = 0; index < 40; index += 1) client(addresses[revision % 4]).get('/api/v1/status');
    await (await fetch(`${server.url}/api/v1/status?api=x`)).text();
    await assertAlive();
  }
  const cost = process.memoryUsage().rss - before;
  assert.ok(cost < 100e6, `it cost ${Math.round(cost / 1e6)} MB`);
});

test('viewer: long histories that are never read', async () => {
  const message = 'the gateway said so at some length, '.repeat(60);
  const attempts: Attempt[] = Array.from({ length: 1000 }, (_, id) => attempt('orders', 'test', { id, outcome: 'rejected', message }));
  await start({ shown: { history: async () => attempts } });
  plan(3);
  const before = process.memoryUsage().rss;
  for (let index = 0; index < 400; index += 1) client(addresses[index % 4]).get('/api/v1/history?limit=1000');
  for (let count = 0; count < 10; count += 1) await assertAlive();
  const cost = process.memoryUsage().rss - before;
  // They are made one by one for each request, so that some of them are garbage that is not collected yet.
  assert.ok(cost < 250e6, `it cost ${Math.round(cost / 1e6)} MB`);
});

for (const [title, bytes] of [
  ['without a byte', ''],
  ['with half a request', 'GET / HTTP/1.1\r\nhost: local'],
  ['with half a body', 'POST /api/v1/approvals HTTP/1.1\r\nhost: localhost\r\ncontent-length: 100\r\n\r\n{'],
  ['with a request after which nothing follows', 'GET /livez HTTP/1.1\r\nhost: localhost\r\n\r\n'],
] as const) {
  test(`viewer: more connections than are allowed, ${title}, from one address and from four`, async () => {
    await start();
    for (let index = 0; index < 250; index += 1) client().send(bytes).read();
    await eventually(() => openConnections() === 100, hangMs, 'an address has 100 connections');
    await assertAlive();
    await assertAlive('127.0.0.9');
    for (let index = 0; index < 250; index += 1)
      client(addresses[index % 4])
        .send(bytes)
        .read();
    await eventually(() => openConnections() <= 200, hangMs, 'all have 200');
    await assertAlive();
    await assertAlive('127.0.0.9');
    assert.ok(openConnections() > 150, 'and not fewer');
  });
}

test('viewer: connections of one address do not end those of others', async () => {
  await start();
  plan(3);
  const watching = Array.from({ length: 10 }, () => client('127.0.0.2').get('/api/v1/events').read());
  await eventually(() => watching.every(({ text }) => text.includes('event: cells')), hangMs, 'the pages are open');
  for (let index = 0; index < 500; index += 1) client(['127.0.0.1', '127.0.0.3'][index % 2]).read();
  await assertAlive('127.0.0.4');
  await eventually(() => openConnections() <= 200, hangMs, 'the limit holds');
  assert.equal(
    watching.map(({ isClosed }) => isClosed),
    watching.map(() => false),
  );
});

test('viewer: more event streams than are allowed, from one address and from several', async () => {
  await start();
  plan(3);
  const open = async (from: string, count: number): Promise<readonly number[]> => {
    const streams = Array.from({ length: count }, () => client(from).get('/api/v1/events').read());
    await eventually(() => streams.every(({ text }) => text.includes('\r\n\r\n')), hangMs, 'all are answered');
    return [200, 503].map((status) => streams.filter(({ text }) => text.startsWith(`HTTP/1.1 ${status} `)).length);
  };
  assert.equal(await open('127.0.0.1', 60), [50, 10]);
  assert.equal(await open('127.0.0.2', 60), [50, 10]);
  assert.equal(await open('127.0.0.3', 5), [0, 5]);
  await assertAlive('127.0.0.3');
  for (const opened of clients.slice(0, 20)) opened.close();
  await eventually(async () => (await open('127.0.0.3', 1))[0] === 1, hangMs, 'a place is free again');
});

test('viewer: an answer that is not read for a minute is cut off, one that is read and an event stream are not', async () => {
  let monotonicMs = 0;
  await start({ monotonicMs: () => monotonicMs });
  // More than the buffers of the system hold.
  plan(9999, 'x'.repeat(500));
  const whole = (await (await fetch(`${server.url}/api/v1/status`)).text()).length;
  const unread = client().get('/api/v1/status');
  const events = client().get('/api/v1/events').read();
  await eventually(() => events.text.includes('event: cells'), hangMs, 'the stream is open');
  const startedAtMs = performance.now();
  // Less than a minute by the server's clock, and longer than the time between two of its checks.
  monotonicMs = 59_000;
  await eventually(() => performance.now() - startedAtMs > 5500, hangMs, 'it has been checked');
  const read = client().get('/api/v1/status').read();
  await eventually(() => read.text.length > whole, hangMs, 'it is read');
  monotonicMs = 61_000;
  await eventually(() => performance.now() - startedAtMs > 11_000, hangMs, 'it has been checked again');
  unread.read();
  await eventually(() => unread.isClosed, hangMs, 'it is cut off');
  assert.ok(unread.text.length < whole);
  assert.equal([read.isClosed, events.isClosed], [false, false]);
});

test('viewer: a thousand requests at once on one connection', async () => {
  await start();
  plan(9999);
  const few = client().send('GET /livez HTTP/1.1\r\nhost: localhost\r\n\r\n'.repeat(5)).read();
  await eventually(() => few.text.split('alive\n').length === 6, hangMs, 'some are answered');
  const many = client().read().send('GET /api/v1/status HTTP/1.1\r\nhost: localhost\r\n\r\n'.repeat(1000));
  await eventually(() => many.isClosed, hangMs, 'the connection is closed');
  await assertAlive();
});

test('viewer: a request that never ends', async () => {
  await start({ act: actToken });
  for (const [title, text, status] of [
    ['a header', `GET /livez HTTP/1.1\r\nhost: localhost\r\nx: ${'x'.repeat(1e6)}`, 431],
    ['many headers', `GET /livez HTTP/1.1\r\nhost: localhost\r\n${'x: y\r\n'.repeat(1e5)}`, 431],
    ['an address', `GET /${'x'.repeat(1e6)} HTTP/1.1\r\nhost: localhost\r\n\r\n`, 431],
    [
      'a body without a token',
      `POST /api/v1/resync HTTP/1.1\r\nhost: localhost\r\ncontent-length: 100000000\r\n\r\n${'x'.repeat(1e6)}`,
      401,
    ],
    [
      'a body with a token',
      `POST /api/v1/approvals HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer ${actToken}\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n${`10000\r\n${'x'.repeat(0x10000)}\r\n`.repeat(20)}`,
      413,
    ],
  ] as const) {
    const sending = client().read().send(text);
    await eventually(() => sending.text !== '' || sending.isClosed, hangMs, `${title} is refused`);
    // A reset may arrive before the answer.
    assert.match(sending.text === '' ? `HTTP/1.1 ${status} ` : sending.text, `HTTP/1.1 ${status} `, title);
    await assertAlive();
  }
  assert.is(actions, 0);
});

/** The paths that show something of the gateway or the file. */
const readPaths = [
  '/metrics',
  ...Object.entries((JSON.parse(readApiDocument()) as { paths: Record<string, object> }).paths).flatMap(([path, operations]) =>
    'get' in operations ? [path] : [],
  ),
];

/** Sends a request, and returns the status, the headers and the body of its answer. */
async function ask(method: string, path: string, headers: Readonly<Record<string, string>> = {}) {
  const { promise, resolve, reject } = Promise.withResolvers<{
    status: number;
    headers: Readonly<Record<string, unknown>>;
    text: string;
  }>();
  const asked = request(`${server.url}${path}`, { method, headers }, (response) => {
    let text = '';
    const answer = () => ({ status: response.statusCode ?? 0, headers: response.headers, text });
    response.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
      // An event stream has no end.
      if (String(response.headers['content-type']).startsWith('text/event-stream')) {
        resolve(answer());
        response.destroy();
      }
    });
    response.on('end', () => resolve(answer()));
  });
  asked.on('error', reject).end();
  return promise;
}

test('viewer: HEAD is answered like GET, without a body and without an end that never comes', async () => {
  await start();
  plan(30);
  for (const encoding of ['gzip', 'identity']) {
    for (const path of ['/', '/livez', '/readyz', '/ui/page.js', '/api/v1/openapi.json', ...readPaths]) {
      const [get, head] = [
        await ask('GET', path, { 'accept-encoding': encoding }),
        await ask('HEAD', path, { 'accept-encoding': encoding }),
      ];
      assert.equal([head.status, head.text], [200, ''], path);
      for (const name of ['content-type', 'content-length', 'content-encoding', 'etag', 'content-security-policy']) {
        if (path !== '/api/v1/events' || name !== 'content-encoding')
          assert.is(head.headers[name], get.headers[name], `${name} of ${path}`);
      }
    }
  }
});

test('viewer: no other method does anything', async () => {
  await start({ act: actToken });
  plan(3);
  for (const method of ['OPTIONS', 'TRACE', 'PATCH', 'POST', 'PUT', 'DELETE', 'PROPFIND', 'QUERY']) {
    for (const path of ['/', '/livez', ...readPaths, '/api/v1/resync', '/api/v1/suspension', '/api/v1/approvals']) {
      const { status } = await ask(method, path);
      assert.ok(status >= 400 && status < 500, `${method} ${path}: ${status}`);
    }
  }
  for (const line of ['CONNECT example.com:443', 'BREW /pot', 'GET', 'get /livez', '\u0016\u0003\u0001']) {
    const sending = client().read().send(`${line} HTTP/1.1\r\nhost: localhost\r\n\r\n`);
    await eventually(() => sending.isClosed, hangMs, `${line} is refused`);
    assert.not.match(sending.text, /^HTTP\/1\.1 2/);
  }
  await assertAlive();
  assert.is(actions, 0);
});

test('viewer: without the token for reading nothing is shown', async () => {
  await start({ act: actToken, read: readToken });
  plan(30);
  for (const path of readPaths) {
    for (const headers of [
      {},
      { authorization: `Bearer ${readToken}x` },
      { authorization: `Basic ${btoa(`x:${readToken}`)}` },
      { cookie: readToken },
    ]) {
      const { status, text } = await ask('GET', path, headers);
      assert.ok(status === 401 || status === 429, `${path}: ${status}`);
      assert.not.match(text, 'api-of-a-team');
      assert.is((await ask('HEAD', path, headers)).text, '');
    }
    assert.not.match((await ask('GET', `${path}?token=${readToken}&access_token=${readToken}`)).text, 'api-of-a-team');
  }
  for (const path of ['/livez', '/readyz', '/', '/ui/page.js', '/api/v1/openapi.json']) {
    const { status, text } = await ask('GET', path);
    assert.is(status, 200, path);
    assert.not.match(text, 'api-of-a-team');
  }
});

test('viewer: with the token for reading everything is shown and nothing can be done', async () => {
  for (const token of [readToken, actToken]) {
    await start({ act: actToken, read: readToken });
    plan(30);
    for (const path of readPaths) assert.is((await ask('GET', path, { authorization: `Bearer ${token}` })).status, 200, path);
  }
  for (const [method, path] of [
    ['POST', '/api/v1/resync'],
    ['POST', '/api/v1/approvals'],
    ['PUT', '/api/v1/suspension'],
    ['DELETE', '/api/v1/suspension'],
  ] as const) {
    assert.is((await ask(method, path, { authorization: `Bearer ${readToken}` })).status, 401, path);
  }
  assert.is(actions, 0);
});

test('viewer: guesses of a token get slower however many connections make them, and each is reported', async () => {
  await start({ act: actToken, monotonicMs: () => 0 });
  const guesses = await Promise.all(
    Array.from({ length: 90 }, (_, index) => ask('POST', '/api/v1/resync', { authorization: `Bearer ${actToken}${index}` })),
  );
  const counts = Map.groupBy(guesses, ({ status }) => status);
  assert.equal([counts.get(401)?.length, counts.get(429)?.length], [5, 85]);
  assert.match(String(counts.get(429)?.[0]?.headers['retry-after']), /^\d+$/);
  assert.is(
    (await ask('POST', '/api/v1/resync', { authorization: `Bearer ${actToken}` })).status,
    429,
    'the right one would tell that it is right',
  );
  assert.is(server.emitted.filter(({ type }) => type === 'token:refused').length, 5);
  assert.not.match(JSON.stringify([server.emitted, guesses]), 'canary');
  await assertAlive();
  assert.is(actions, 0);
});

test('viewer: a status that has not changed is not sent again', async () => {
  await start();
  plan(9999);
  for (const path of ['/api/v1/status', '/api/v1/plan', '/', '/ui/page.js']) {
    for (const encoding of ['gzip', 'identity']) {
      const first = await ask('GET', path, { 'accept-encoding': encoding });
      const etag = String(first.headers['etag']);
      const again = await ask('GET', path, { 'if-none-match': `"other", ${etag}`, 'accept-encoding': encoding });
      assert.equal([first.status, again.status, again.text], [200, 304, ''], path);
    }
  }
  const { headers } = await ask('GET', '/api/v1/status', { 'accept-encoding': 'gzip' });
  assert.is(headers['content-encoding'], 'gzip');
  assert.ok(Number(headers['content-length']) < 1e6);
  const before = String(headers['etag']);
  server.statusCache.emit({ type: 'file:unreadable', message: 'gone' });
  const changed = await ask('GET', '/api/v1/status', { 'if-none-match': before });
  assert.is(changed.status, 200);
  assert.match(changed.text, '"error":"gone"');
});

test('operator: a page that other machines reach without a token is a warning at every start, with the address that listens', async () => {
  const folder = scratchFolder();
  writeFileSync(join(folder, 'edict.yaml'), fileOf('https://roma.example.com', { a: 'online' }));
  writeFileSync(join(folder, 'token'), `${readToken}\n`);
  for (const [host, env, isExposed] of [
    ['0.0.0.0', {}, true],
    ['0.0.0.0', { EDICT_TOKEN: actToken }, true],
    ['0.0.0.0', { EDICT_READ_TOKEN_FILE: join(folder, 'token') }, false],
    ['127.0.0.1', {}, false],
  ] as const) {
    await using daemon = await startLoggedDaemon(folder, { env, listen: { host, port: 0 } });
    const url = daemon.url ?? '';
    assert.ok(url.startsWith(`http://${host}:`), url);
    assert.equal(
      daemon.events('server:exposed').map((line) => [line['level'], line['url']]),
      isExposed ? [['warn', url]] : [],
    );
    const answer = await fetch(`${url.replace('0.0.0.0', '127.0.0.1')}/metrics`, { headers: { authorization: 'Bearer guess' } });
    assert.is(answer.status, 'EDICT_READ_TOKEN_FILE' in env ? 401 : 200);
    const refused = daemon.events('token:refused');
    assert.is(refused.length, 'EDICT_READ_TOKEN_FILE' in env ? 1 : 0);
    assert.not.match(JSON.stringify([...refused, ...daemon.events('server:exposed')]), 'canary');
  }
});

test('operator: a token that can be guessed is refused, and not printed', async () => {
  const folder = scratchFolder();
  writeFileSync(join(folder, 'edict.yaml'), fileOf('https://roma.example.com', { a: 'online' }));
  writeFileSync(join(folder, 'token'), 'canary-15-chars');
  for (const [env, message] of [
    [{ EDICT_TOKEN: 'canary-15-chars' }, 'EDICT_TOKEN has fewer than 16 characters'],
    [{ EDICT_READ_TOKEN: 'canary-15-chars' }, 'EDICT_READ_TOKEN has fewer than 16 characters'],
    [{ EDICT_TOKEN_FILE: join(folder, 'token') }, 'EDICT_TOKEN_FILE has fewer than 16 characters'],
    [{ EDICT_READ_TOKEN_FILE: join(folder, 'none') }, 'EDICT_READ_TOKEN_FILE cannot be read'],
  ] as const) {
    const { code, stdout, stderr } = await edict(['run', 'edict.yaml', '--emulate', '--listen', '127.0.0.1:0'], folder, env);
    assert.is(code, 1, stderr);
    assert.match(stderr, message);
    assert.not.match(stdout + stderr, 'canary');
  }
});

test.run();
