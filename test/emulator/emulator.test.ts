import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createToken_201, createToken_400, createToken_401 } from '../../generated/roma-connect-answers.cjs';
import { type Emulator, type EmulatorOptions, startEmulator } from '../../src/emulator/emulator.ts';
import { defaultSeed } from '../../src/emulator/seed.ts';
import { publishAt, sendTo, smallSeed } from './emulated-call.ts';

async function withEmulator(run: (emulator: Emulator) => Promise<void>, options: Partial<EmulatorOptions> = {}): Promise<void> {
  const emulator = await startEmulator({ seed: smallSeed, ...options });
  try {
    await run(emulator);
  } finally {
    await emulator.close();
  }
}

async function answerOf(response: Response): Promise<{ status: number; body: Record<string, unknown> }> {
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

const user = { name: 'ada', password: 'secret', domain: { name: 'acme' } };
const logInAt = (emulator: Emulator, more: object = {}): Promise<Response> =>
  sendTo(emulator, '/v3/auth/tokens?nocatalog=true', {
    body: {
      auth: { identity: { methods: ['password'], password: { user: { ...user, ...more } } }, scope: { project: { name: 'p' } } },
    },
    headers: { 'x-auth-token': '' },
  });

test('listens on the loopback interface only, at any free port', () =>
  withEmulator(async ({ url }) => {
    assert.match(url, /^http:\/\/127\.0\.0\.1:\d+$/);
    // The URL is the same for an emulator that listens on all interfaces; a listener at another address distinguishes them.
    const elsewhere = connect(Number(new URL(url).port), '127.0.0.2');
    const found = await Promise.race([once(elsewhere, 'connect').then(() => 'reached', String), sleep(500, 'not reached')]);
    elsewhere.destroy();
    assert.is.not(found, 'reached');
  }));

test('the default seed lets any token publish', () =>
  withEmulator(
    async (emulator) => {
      const { project, instance, apis, environments } = defaultSeed;
      const body = { action: 'online', api_id: apis[0]?.id, env_id: environments[0]?.id };
      const path = `/v2/${project}/apic/instances/${instance}/apis/action`;
      assert.is((await sendTo(emulator, path, { body, headers: { 'x-auth-token': 'any' } })).status, 201);
    },
    { seed: defaultSeed },
  ));

test('listens on the given port, and reports one that is taken', () =>
  withEmulator(async ({ url }) => {
    const error = await startEmulator({ seed: smallSeed, port: Number(new URL(url).port) }).catch((thrown: Error) => thrown);
    assert.match(String(error), /EADDRINUSE/);
  }));

test('a valid login over HTTP returns a token that publishes', () =>
  withEmulator(async (emulator) => {
    const login = await logInAt(emulator);
    assert.is(login.status, 201);
    assert.ok(createToken_201(await login.json()), JSON.stringify(createToken_201.errors));
    const token = login.headers.get('x-subject-token') ?? '';
    assert.is((await publishAt(emulator, {}, { 'x-auth-token': token })).status, 201);
    assert.is((await publishAt(emulator, {}, { 'x-auth-token': `${token}x` })).status, 401);
  }));

test('a token lives for a day by the given clock', () =>
  withEmulator(
    async (emulator) => {
      const { body } = await answerOf(await logInAt(emulator));
      assert.equal(body, { token: { issued_at: '2026-11-20T08:00:00.000Z', expires_at: '2026-11-21T08:00:00.000Z' } });
    },
    { now: () => new Date('2026-11-20T08:00:00Z') },
  ));

test('a token expires after the given lifetime', () => {
  let nowMs = Date.parse('2026-11-20T08:00:00Z');
  return withEmulator(
    async (emulator) => {
      const login = await logInAt(emulator);
      const token = login.headers.get('x-subject-token') ?? '';
      assert.equal(await login.json(), { token: { issued_at: '2026-11-20T08:00:00.000Z', expires_at: '2026-11-20T08:00:05.000Z' } });
      assert.is((await publishAt(emulator, {}, { 'x-auth-token': token })).status, 201);
      nowMs += 5_000;
      const { status, body } = await answerOf(await publishAt(emulator, {}, { 'x-auth-token': token }));
      assert.equal([status, body['error_code']], [401, 'APIG.1002']);
    },
    { tokenLifetimeMs: 5_000, now: () => new Date(nowMs) },
  );
});

test('starts with the given faults, latency and throttle', () =>
  withEmulator(
    async (emulator) => {
      assert.is(emulator.faults.nextDelayMs(), 3);
      assert.is((await publishAt(emulator)).status, 503);
      assert.is((await publishAt(emulator)).status, 429);
    },
    {
      faults: [{ times: 1, status: 503, errorCode: 'APIG.9999', errorMsg: 'System error' }],
      latencyMs: 3,
      throttle: { calls: 1, perMs: 3_600_000 },
    },
  ));

test('a wrong login over HTTP is rejected', () =>
  withEmulator(async (emulator) => {
    const login = await logInAt(emulator, { password: 'wrong' });
    assert.is(login.status, 401);
    assert.is(login.headers.get('x-subject-token'), null);
    assert.ok(createToken_401(await login.json()), JSON.stringify(createToken_401.errors));
  }));

test('a login without a password is a bad request that names it', () =>
  withEmulator(async (emulator) => {
    const { status, body } = await answerOf(await logInAt(emulator, { password: undefined }));
    assert.is(status, 400);
    assert.ok(createToken_400(body), JSON.stringify(createToken_400.errors));
    assert.match(String(body['error_msg']), 'parameterName:password');
  }));

test('versions over HTTP: each online creates one, ten are kept, and the newest is effective', () =>
  withEmulator(async (emulator) => {
    const ids = [];
    for (let call = 1; call <= 12; call += 1) ids.push((await answerOf(await publishAt(emulator))).body['version_id']);
    assert.is(new Set(ids).size, 12);
    const [publication] = emulator.state.publications();
    assert.equal(
      publication?.versions.map(({ versionId }) => versionId),
      ids.slice(2).reverse(),
    );
    assert.is(publication?.effective?.versionId, ids.at(-1));
  }));

test('offline over HTTP, and again where nothing is published', () =>
  withEmulator(async (emulator) => {
    await publishAt(emulator);
    assert.is((await publishAt(emulator, { action: 'offline' })).status, 201);
    const { status, body } = await answerOf(await publishAt(emulator, { action: 'offline' }));
    assert.is(status, 404);
    assert.is(body['error_code'], 'APIG.3015');
  }));

test('concurrent calls lose no version', () =>
  withEmulator(async (emulator) => {
    const answers = await Promise.all(Array.from({ length: 50 }, async () => answerOf(await publishAt(emulator))));
    assert.is(new Set(answers.map(({ body }) => body['version_id'])).size, 50);
    assert.is(emulator.state.publications()[0]?.onlineCalls, 50);
  }));

test('an API that is added while it runs can be called at once', () =>
  withEmulator(async (emulator) => {
    assert.is((await publishAt(emulator, { api_id: 'b' })).status, 404);
    emulator.state.add({ ...smallSeed, apis: [{ id: 'b', name: 'invoices' }] });
    assert.is((await publishAt(emulator, { api_id: 'b' })).status, 201);
  }));

test('logs every request to an operation with its time, operation and result', () =>
  withEmulator(async (emulator) => {
    const beforeMs = performance.timeOrigin + performance.now();
    const change = '/v2/p/apic/instances/i/apis/action';
    const none = { fault: null, applied: false };
    await publishAt(emulator, { remark: 'r' });
    await publishAt(emulator, { action: 'offline', api_id: 'x' });
    await publishAt(emulator, {}, { 'x-auth-token': 'bad' });
    await sendTo(emulator, change, { body: {} });
    await sendTo(emulator, change, { headers: { 'content-type': 'text/plain' }, body: 'x' });
    await sendTo(emulator, '/v2/p/apic/instances/i/apis/publish/a', { method: 'GET' });
    await logInAt(emulator);
    const afterMs = performance.timeOrigin + performance.now();
    const online = { action: 'online', api: 'a', environment: 'e' };
    const noted = emulator.requests.all();
    assert.equal(
      noted.map(({ atMs: _, ...rest }) => rest),
      [
        { operation: 'changePublication', status: 201, ...online, remark: 'r', fault: null, applied: true },
        { operation: 'changePublication', status: 404, ...online, ...none, action: 'offline', api: 'x' },
        { operation: 'changePublication', status: 401, ...online, ...none },
        { operation: 'changePublication', status: 400, ...none },
        { operation: 'changePublication', status: 400, ...none },
        { operation: 'listVersions', status: 200, api: 'a', ...none },
        { operation: 'createToken', status: 201, ...none },
      ],
    );
    const times = noted.map(({ atMs }) => atMs);
    assert.equal(
      times,
      [...times].sort((a, b) => a - b),
    );
    assert.ok((times[0] ?? 0) >= beforeMs && (times.at(-1) ?? 0) <= afterMs);
  }));

test('an internal error is not a bad request, and says what it was', () =>
  withEmulator(
    async (emulator) => {
      const { status, body } = await answerOf(await publishAt(emulator));
      assert.is(status, 500);
      assert.is(body['error_code'], 'APIG.9999');
      assert.is(body['error_msg'], 'The emulator failed: the clock stands');
      assert.equal(
        emulator.requests.all().map((noted) => noted.status),
        [500],
      );
    },
    {
      now: () => {
        throw new Error('the clock stands');
      },
    },
  ));

test('connections are kept alive', () =>
  withEmulator(async (emulator) => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const ports = new Set<number | undefined>();
    for (let call = 1; call <= 5; call += 1) {
      const [response] = await once(request(`${emulator.url}/_emulator/requests`, { agent }).end(), 'response');
      ports.add(response.socket.localPort);
      response.resume();
      await once(response, 'end');
    }
    assert.is(ports.size, 1);
    agent.destroy();
  }));

test('closing is fast with open connections, idle, silent and in the middle of a request', async () => {
  const emulator = await startEmulator({ seed: smallSeed });
  const { port } = new URL(emulator.url);
  const agent = new Agent({ keepAlive: true });
  const [response] = await once(request(`${emulator.url}/_emulator/requests`, { agent }).end(), 'response');
  response.resume();
  await once(response, 'end');
  const sockets = ['', 'POST /v3/auth/tokens HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\n{'].map((text) => {
    const socket = connect(Number(port), '127.0.0.1')
      .on('error', () => {})
      .resume();
    if (text) socket.write(text);
    return socket;
  });
  await Promise.all(sockets.map((socket) => once(socket, 'connect')));
  await sleep(50);
  const closed = Promise.all(sockets.map((socket) => once(socket, 'close')));
  const startedAtMs = performance.now();
  await emulator.close();
  assert.ok(performance.now() - startedAtMs < 30_000, `${performance.now() - startedAtMs} ms`);
  await closed;
  agent.destroy();
  await assertClosed(Number(port));
});

test('closing twice is the same as once', async () => {
  const emulator = await startEmulator({ seed: smallSeed });
  await emulator.close();
  await emulator.close();
});

test('a delayed response keeps neither the emulator nor its process alive', async () => {
  const module = (path: string): string => JSON.stringify(join(import.meta.dirname, '../..', path));
  const program = `
    import { startEmulator } from ${module('src/emulator/emulator.ts')};
    import { publishAt, smallSeed } from ${module('test/emulator/emulated-call.ts')};
    const emulator = await startEmulator({ seed: smallSeed });
    emulator.faults.latencyMs = 60_000;
    const call = publishAt(emulator).catch(() => 'cut');
    while (emulator.requests.all().length === 0) await new Promise(setImmediate);
    await emulator.close();
    process.stdout.write(await call);`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program], { timeout: 20_000 });
  assert.is(stdout, 'cut');
});

/** Asserts that nothing listens on `port` any more. */
async function assertClosed(port: number): Promise<void> {
  const error = await once(connect(port, '127.0.0.1'), 'connect').catch((thrown: NodeJS.ErrnoException) => thrown);
  assert.is((error as NodeJS.ErrnoException).code, 'ECONNREFUSED');
}

test.run();
