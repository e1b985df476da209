import { createHmac } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { components } from '../../generated/edict-notification.d.ts';
import { type Emulator, startEmulator } from '../../src/emulator/emulator.ts';
import { type Answer, type AnsweringServer, answeringServer, json } from '../gateway/answering-server.ts';
import { edict, fileOf, type Running, scratchFolder, secretToken, seedOf, startEdict, until } from '../support/edict-process.ts';
import { assertConforms } from '../support/json-schemas.ts';

type Notice = components['schemas']['Notice'];

const test = suite('notifications');
let emulator: Emulator;
let folder: string;
let server: AnsweringServer;
let daemon: Running | null = null;

const apis = Array.from({ length: 30 }, (_, index) => `a${index}`);
const ok: Answer = (response) => json(response, 200, {});

async function start(answer: Answer, environment: Readonly<Record<string, string>> = {}): Promise<Running> {
  server = await answeringServer(answer);
  const notify = { EDICT_NOTIFY_URL: `${server.url}/hook/MARKED-path?key=MARKED-query`, EDICT_NOTIFY_WINDOW: '300ms', ...environment };
  daemon = startEdict(['run', '--log-format', 'json', '--log-level', 'debug'], folder, { HW_AUTH_TOKEN: secretToken, ...notify });
  return daemon;
}

test.before.each(async () => {
  emulator = await startEmulator({ seed: seedOf('orders', 'invoices', ...apis) });
  folder = scratchFolder();
});

test.after.each(async () => {
  daemon?.child.kill('SIGKILL');
  await daemon?.finished;
  daemon = null;
  await server?.close();
  await emulator.close();
});

const write = (states: Readonly<Record<string, string>>, more = ''): void =>
  writeFileSync(join(folder, 'edict.yaml'), `${fileOf(emulator.url, states)}${more}`);

/** Returns the notices that have come so far, after their messages were held against the schema. */
function notices(): Notice[] {
  return server.requests.flatMap(({ body }) => {
    const message = JSON.parse(body) as { notices: Notice[] };
    assertConforms('notification', message);
    return message.notices;
  });
}

function notice<K extends Notice['kind']>(kind: K): Extract<Notice, { kind: K }> | undefined {
  return notices().find((one): one is Extract<Notice, { kind: K }> => one.kind === kind);
}

test('what was changed, what fails and that it is over', async () => {
  emulator.faults.add({ times: 1, apiId: 'api-orders', status: 403, errorCode: 'APIG.1005', errorMsg: 'not allowed' });
  write({ orders: 'online', invoices: 'online' });
  const running = await start(ok, { EDICT_NOTIFY_SECRET: 'shared' });
  await until('both are told', () => notice('applied') !== undefined && notice('failed') !== undefined);
  assert.is(notice('applied')?.summary, '1 change made: 1 online, 0 offline');
  const [failure] = notice('failed')?.failures ?? [];
  assert.equal([failure?.what, failure?.publication?.api, failure?.code], ['publication', 'orders', 'APIG.1005']);
  const { headers, body = '' } = server.requests[0] ?? {};
  assert.is(headers?.['x-edict-signature'], `sha256=${createHmac('sha256', 'shared').update(body).digest('hex')}`);
  running.child.kill('SIGHUP');
  await until('it is told to be over', () => notice('recovered') !== undefined);
  assert.is(notice('recovered')?.failures[0]?.publication?.api, 'orders');
});

test('what is held comes with the command that releases it, and the command does', async () => {
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
  const words = held?.command?.split(' ').slice(1) ?? [];
  await edict([...words.slice(0, words.indexOf('--by')), '--by', 'ada', '--why', 'CHG-7'], folder);
  await until('it is made', () => notices().filter(({ kind }) => kind === 'applied').length === 2);
});

test('an invalid file is told with its places, and that it is well again', async () => {
  write({ orders: 'online' });
  await start(ok);
  await until('it is online', () => notice('applied') !== undefined);
  write({ orders: 'onlin', invoices: 'oflin' });
  await until('it is told', () => notice('invalid') !== undefined);
  const { count, mistakes } = notice('invalid') ?? {};
  assert.equal(
    [count, mistakes?.map(({ file, line }) => [file, line])],
    [
      2,
      [
        ['edict.yaml', 6],
        ['edict.yaml', 7],
      ],
    ],
  );
  write({ orders: 'online', invoices: 'online' });
  await until('it is well again', () => notice('recovered') !== undefined);
  assert.is(notice('recovered')?.failures[0]?.what, 'file');
});

test('what somebody else has changed is told', async () => {
  write({ orders: 'online' }, 'observe: every 1s\n');
  await start(ok);
  await until('it is online', () => notice('applied') !== undefined);
  await sleep(400); // the gateway may lag so long in this file
  emulator.world.takeOffline('api-orders', 'env-test');
  await until('it is told', () => notice('drifted') !== undefined);
  assert.equal(
    notice('drifted')?.publications.map(({ api, how, was, now }) => [api, how, was, now]),
    [['orders', 'drift', 'online', 'offline']],
  );
});

test('an outage is told once, and its end', async () => {
  write({ orders: 'online' });
  await start(ok);
  await until('it is online', () => notice('applied') !== undefined);
  emulator.faults.add({ kind: 'cut', operation: '*', share: 1 });
  write(Object.fromEntries(apis.map((api) => [api, 'online'])));
  await until('it is told', () => notice('failed') !== undefined);
  await sleep(2000);
  const told = notices().filter(({ kind }) => kind === 'failed');
  assert.ok(told.length <= 3, `${told.length} messages`);
  assert.match(told.map(({ summary }) => summary).join(), 'the gateway does not answer');
  emulator.faults.clear();
  await until('all is well', () => notices().some((one) => one.kind === 'recovered' && one.failures.some(({ what }) => what === 'calls')));
});

test('a webhook that hangs slows nothing, and the end does not wait for it', async () => {
  write({ orders: 'online' });
  const running = await start(() => {});
  await until('the webhook hangs', () => server.requests.length === 1);
  for (const state of ['offline', 'online', 'offline', 'online']) {
    const editedAtMs = performance.now();
    write({ orders: state });
    const isOnline = (): boolean =>
      emulator.world.publications().some(({ api, effective }) => api === 'api-orders' && effective !== null) === (state === 'online');
    await until(`orders is ${state}`, isOnline);
    assert.ok(performance.now() - editedAtMs < 2000, `${performance.now() - editedAtMs} ms`);
  }
  const stoppedAtMs = performance.now();
  running.child.kill('SIGTERM');
  assert.is((await running.finished).code, 0);
  assert.ok(performance.now() - stoppedAtMs < 5000, `${performance.now() - stoppedAtMs} ms`);
});

test('at the end what waits is told, in Slack’s form too', async () => {
  write({ orders: 'online' });
  server = await answeringServer(ok);
  const slack = await answeringServer(ok);
  const environment = { EDICT_NOTIFY_URL: server.url, EDICT_NOTIFY_SLACK_URL: slack.url, EDICT_NOTIFY_ON: 'failed' };
  emulator.faults.add({ share: 1, apiId: 'api-orders', status: 409, errorCode: 'APIG.3718', errorMsg: 'busy' });
  daemon = startEdict(['run', '--log-format', 'json'], folder, { HW_AUTH_TOKEN: secretToken, ...environment });
  const running = daemon;
  await until('a try has failed', () => running.events('attempt:settled').length > 0);
  writeFileSync(join(folder, 'edict.yaml'), 'edict: 1\n');
  await until('the file is rejected', () => running.events('file:rejected').length > 0);
  running.child.kill('SIGTERM');
  await running.finished;
  // A failure that is being tried again may pass by itself, and what is not chosen is not told.
  assert.equal([server.requests.length, slack.requests.length], [0, 0]);

  daemon = startEdict(['run'], folder, { HW_AUTH_TOKEN: secretToken, ...environment, EDICT_NOTIFY_ON: 'invalid' });
  const second = daemon;
  await until('the file is rejected', () => second.events('file:rejected').length > 0);
  second.child.kill('SIGTERM');
  await second.finished;
  assert.is(notice('invalid')?.count, 3);
  assert.match(slack.requests[0]?.body ?? '', 'Invalid file');
  await slack.close();
});

test('a wrong address ends the start with what to do, and a dry run tells nobody', async () => {
  write({ orders: 'online' });
  server = await answeringServer(ok);
  const wrong = await edict(['run'], folder, { HW_AUTH_TOKEN: secretToken, EDICT_NOTIFY_URL: 'hooks.example.com/MARKED' });
  assert.is(wrong.code, 1);
  assert.match(wrong.stderr, 'EDICT_NOTIFY_URL is not an address that messages can be posted to');
  assert.not.match(wrong.stderr, 'MARKED');
  for (const args of [['run', '--dry-run'], ['plan'], ['apply']]) {
    assert.is((await edict(args, folder, { HW_AUTH_TOKEN: secretToken, EDICT_NOTIFY_URL: server.url })).code, 0);
  }
  assert.is(server.requests.length, 0);
});

test('the address shows nowhere, however its receiver fails', async () => {
  write({ orders: 'online', nowhere: 'online' });
  const answers: readonly Answer[] = [
    (response) => response.destroy(),
    (response, { path, body }) => json(response, 500, { path, body }),
    (response, { path }) => response.writeHead(302, { location: path }).end(),
  ];
  const running = await start((response, request, count) => answers[(count - 1) % 3]?.(response, request, count));
  await until('a delivery is given up', () => running.events('notify:failed').some(({ dropped }) => dropped === 1));
  const [first] = running.events('notify:failed');
  assert.is(first?.['to'], new URL(server.url).host);
  running.child.kill('SIGTERM');
  const { stdout, stderr } = await running.finished;
  const files = readdirSync(join(folder, '.edict')).map((file) => readFileSync(join(folder, '.edict', file), 'utf8'));
  for (const text of [stdout, stderr, ...files]) assert.not.match(text, 'MARKED');
});

test.run();
