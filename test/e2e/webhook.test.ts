import { createHmac } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { components } from '../../generated/edict-notification.d.ts';
import { type Emulator, startEmulator } from '../../src/emulator/emulator.ts';
import { type Answer, type AnsweringServer, answeringServer, json } from '../gateway/answering-server.ts';
import { type LoggedDaemon, startLoggedDaemon } from '../support/daemon.ts';
import { edict } from '../support/edict-command.ts';
import { fileOf, killStarted, type Running, scratchFolder, secretToken, seedOf, startEdict, until } from '../support/edict-process.ts';
import { assertConforms } from '../support/json-schemas.ts';

type Notice = components['schemas']['Notice'];

const key = Buffer.alloc(32, 7);
const secret = `whsec_${key.toString('base64')}`;

const test = suite('webhook');
let emulator: Emulator;
let folder: string;
let server: AnsweringServer;
let daemon: LoggedDaemon | null = null;

const apis = Array.from({ length: 30 }, (_, index) => `a${index}`);
const ok: Answer = (response) => json(response, 200, {});

/** Starts a receiver that answers like this. Resolves to the variables of a daemon that posts to it. */
async function receive(answer: Answer): Promise<Readonly<Record<string, string>>> {
  server = await answeringServer(answer);
  const url = `${server.url}/hook/MARKED-path?key=MARKED-query`;
  return { HW_AUTH_TOKEN: secretToken, EDICT_WEBHOOK_URL: url, EDICT_WEBHOOK_SECRET: secret };
}

/** Starts a daemon in this process with a receiver that answers like this. */
async function start(answer: Answer): Promise<LoggedDaemon> {
  daemon = await startLoggedDaemon(folder, { env: await receive(answer) });
  return daemon;
}

/** Starts a process for it. */
async function startProcess(answer: Answer): Promise<Running> {
  return startEdict(['run', '--log-format', 'json', '--log-level', 'debug'], folder, await receive(answer));
}

test.before.each(async () => {
  emulator = await startEmulator({ seed: seedOf('orders', 'invoices', ...apis) });
  folder = scratchFolder();
});

test.after.each(async () => {
  await killStarted();
  await daemon?.stop();
  daemon = null;
  await server?.close();
  await emulator.close();
});

/** Writes the file with `more` after its APIs: more of them, or another `refresh`. */
function write(states: Readonly<Record<string, string>>, more = ''): void {
  writeFileSync(join(folder, 'edict.yaml'), `${fileOf(emulator.url, states)}${more}`);
}

/** Returns the notices so far, after validating each notification against the schema. */
function notices(): Notice[] {
  return server.requests.map(({ body }) => {
    const notification = JSON.parse(body) as { notice: Notice };
    assertConforms('notification', notification);
    return notification.notice;
  });
}

function notice<K extends Notice['kind']>(kind: K, status?: 'firing' | 'resolved'): Extract<Notice, { kind: K }> | undefined {
  const all = notices().filter((one): one is Extract<Notice, { kind: K }> => one.kind === kind);
  return all.find((one) => status === undefined || ('status' in one && one.status === status));
}

test('changes, a failure, and its end', async () => {
  emulator.faults.add({ times: 1, apiId: 'api-orders', status: 403, errorCode: 'APIG.1005', errorMsg: 'not allowed' });
  write({ orders: 'online', invoices: 'online' });
  const running = await start(ok);
  await until('both are sent', () => notice('applied') !== undefined && notice('failed') !== undefined);
  assert.is(notice('applied')?.summary, '1 change made: 1 online, 0 offline');
  const failed = notice('failed');
  assert.equal([failed?.status, failed?.subject, failed?.publication?.api, failed?.code], ['firing', 'publication', 'orders', 'APIG.1005']);
  const { headers, body = '' } = server.requests[0] ?? {};
  const signed = `${headers?.['webhook-id']}.${headers?.['webhook-timestamp']}.${body}`;
  assert.is(headers?.['webhook-signature'], `v1,${createHmac('sha256', key).update(signed).digest('base64')}`);
  running.hangUp();
  await until('it is resolved', () => notice('failed', 'resolved') !== undefined);
  assert.is(notice('failed', 'resolved')?.publication?.api, 'orders');
});

test('held changes have the command that approves them, and the command works', async () => {
  const release = (state: string): string => `  orders: { id: api-orders, environments: { release: ${state} } }\n`;
  write({ invoices: 'online' }, release('online'));
  await start(ok);
  await until('it is online', () => notice('applied') !== undefined);
  write({ invoices: 'online' }, release('offline'));
  await until('it is held', () => notice('held') !== undefined);
  const held = notice('held');
  assert.equal(
    [held?.count, held?.reasons.map(({ rule }) => rule), held?.publications.map(({ api, action }) => `${api} ${action}`)],
    [1, ['protected'], ['orders offline']],
  );
  const words = held?.approveCommand?.split(' ').slice(1) ?? [];
  await edict([...words.slice(0, words.indexOf('--by')), '--by', 'ada', '--reason', 'CHG-7'], folder);
  await until('it is made', () => notices().filter(({ kind }) => kind === 'applied').length === 2);
  assert.is(notice('held', 'resolved')?.approvalDigest, held?.approvalDigest);
});

test('an invalid file has the places of its errors, and is resolved by a valid one', async () => {
  write({ orders: 'online' });
  await startProcess(ok);
  await until('it is online', () => notice('applied') !== undefined);
  write({ orders: 'onlin', invoices: 'oflin' });
  await until('it is sent', () => notice('invalid') !== undefined);
  const { count, errors } = notice('invalid') ?? {};
  assert.equal(
    [count, errors?.map(({ file, line }) => [file, line])],
    [
      2,
      [
        ['edict.yaml', 6],
        ['edict.yaml', 7],
      ],
    ],
  );
  write({ orders: 'online', invoices: 'online' });
  await until('it is resolved', () => notice('invalid', 'resolved') !== undefined);
});

test('drift is sent, and its end', async () => {
  write({ orders: 'online' }, 'refresh: 1s\n');
  await start(ok);
  await until('it is online', () => notice('applied') !== undefined);
  await sleep(400); // the propagation delay of this file
  emulator.state.takeOffline('api-orders', 'env-test');
  await until('it is sent', () => notice('drifted') !== undefined);
  const drifted = notice('drifted');
  assert.equal(
    [drifted?.flapping, drifted?.publications.map(({ api, was, now }) => [api, was, now])],
    [false, [['orders', 'online', 'offline']]],
  );
  write({ orders: 'offline' }, 'refresh: 1s\n');
  await until('it is resolved', () => notice('drifted', 'resolved') !== undefined);
});

test('an outage that affects every publication is sent once, and its end', async () => {
  write({ orders: 'online' });
  await start(ok);
  await until('it is online', () => notice('applied') !== undefined);
  emulator.faults.add({ kind: 'cut', operation: '*', share: 1 });
  write(Object.fromEntries(apis.map((api) => [api, 'online'])));
  const isOutage = (one: Notice): boolean => one.kind === 'failed' && one.subject === 'outage';
  const outages = (status: string): number => notices().filter((one) => isOutage(one) && 'status' in one && one.status === status).length;
  await until('it is sent', () => outages('firing') > 0);
  await sleep(2000);
  assert.equal([outages('firing'), outages('resolved')], [1, 0]);
  assert.ok(notices().filter(({ kind }) => kind === 'failed').length <= 2, 'the outage, and the publications that it affected');
  emulator.faults.clear();
  await until('it is resolved', () => outages('resolved') > 0);
  await until('the changes are sent', () => notices().some((one) => one.kind === 'applied' && one.count > 1));
  const open = (status: string): number => notices().filter((one) => 'status' in one && one.status === status).length;
  await until('nothing is firing any more', () => open('firing') === open('resolved'));
});

test('a webhook that hangs slows nothing down, and the shutdown does not wait for it', async () => {
  write({ orders: 'online' });
  const running = await startProcess(() => {});
  await until('the webhook hangs', () => server.requests.length === 1);
  for (const state of ['offline', 'online', 'offline', 'online']) {
    const editedAtMs = performance.now();
    write({ orders: state });
    const isOnline = (): boolean =>
      emulator.state.publications().some(({ api, effective }) => api === 'api-orders' && effective !== null) === (state === 'online');
    await until(`orders is ${state}`, isOnline);
    assert.ok(performance.now() - editedAtMs < 9_000, `${performance.now() - editedAtMs} ms`);
  }
  const stoppedAtMs = performance.now();
  running.child.kill('SIGTERM');
  assert.is((await running.finished).code, 0);
  assert.ok(performance.now() - stoppedAtMs < 9_000, `${performance.now() - stoppedAtMs} ms`);
});

test('a notice that could not be delivered is sent once more when the daemon stops', async () => {
  let isBroken = true;
  writeFileSync(join(folder, 'edict.yaml'), 'edict: 1\nrefresh: never\n');
  const running = await start((response) => json(response, isBroken ? 503 : 200, {}));
  await until('it is not delivered', () => running.events('webhook:failed').length > 0);
  const attempts = server.requests.length;
  isBroken = false;
  await running.stop();
  assert.ok(server.requests.length > attempts);
  assert.is(notice('invalid')?.status, 'firing');
  assert.is(new Set(server.requests.map(({ headers }) => headers['webhook-id'])).size, 1);
});

test('an unusable webhook ends the start with the fix, and a dry run posts nothing', async () => {
  write({ orders: 'online' });
  server = await answeringServer(ok);
  const env = { HW_AUTH_TOKEN: secretToken, EDICT_WEBHOOK_SECRET: secret };
  const wrong = await edict(['run'], folder, { ...env, EDICT_WEBHOOK_URL: 'hooks.example.com/MARKED' });
  assert.is(wrong.code, 1);
  assert.match(wrong.stderr, 'EDICT_WEBHOOK_URL is not a URL that can be posted to');
  assert.not.match(wrong.stderr, 'MARKED');
  const unsigned = await edict(['run'], folder, { HW_AUTH_TOKEN: secretToken, EDICT_WEBHOOK_URL: server.url });
  assert.is(unsigned.code, 1);
  assert.match(unsigned.stderr, 'EDICT_WEBHOOK_URL needs EDICT_WEBHOOK_SECRET');
  assert.match(unsigned.stderr, 'openssl rand -base64 32');
  for (const args of [['run', '--dry-run'], ['plan'], ['apply']]) {
    assert.is((await edict(args, folder, { ...env, EDICT_WEBHOOK_URL: server.url })).code, 0);
  }
  assert.is(server.requests.length, 0);
});

test('URL and secret appear nowhere, however the receiver fails', async () => {
  write({ orders: 'online', nowhere: 'online' });
  const answers: readonly Answer[] = [
    (response) => response.destroy(),
    (response, { path, body }) => json(response, 500, { path, body }),
    (response, { path }) => response.writeHead(302, { location: path }).end(),
  ];
  const running = await startProcess((response, request, count) => answers[(count - 1) % 3]?.(response, request, count));
  await until('a delivery has been given up', () => running.events('webhook:failed').some(({ dropped }) => dropped === 1));
  const [first] = running.events('webhook:failed');
  assert.is(first?.['to'], new URL(server.url).host);
  running.child.kill('SIGTERM');
  const { stdout, stderr } = await running.finished;
  const files = readdirSync(join(folder, '.edict')).map((file) => readFileSync(join(folder, '.edict', file), 'utf8'));
  for (const text of [stdout, stderr, ...files]) for (const part of ['MARKED', key.toString('base64')]) assert.not.match(text, part);
});

test.run();
