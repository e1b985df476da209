import { once } from 'node:events';
import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Emulator, startEmulator } from '../../src/emulator/emulator.ts';
import { type LoggedDaemon, startLoggedDaemon } from '../support/daemon.ts';
import { edict } from '../support/edict-command.ts';
import { fileOf, killStarted, type Running, scratchFolder, secretToken, seedOf, startEdict, until } from '../support/edict-process.ts';

const apis = Array.from({ length: 20 }, (_, index) => `a${index}`);
let emulator: Emulator;
let folder: string;
/** The one in this process, where a test is not about signals or the end of a process. */
let daemon: LoggedDaemon | null = null;

test.before.each(async () => {
  emulator = await startEmulator({ seed: seedOf('orders', 'invoices', ...apis) });
  folder = scratchFolder();
});

test.after.each(async () => {
  await killStarted();
  await daemon?.stop();
  daemon = null;
  await emulator.close();
});

function run(): Running {
  return startEdict(['run', '--log-format', 'json', '--log-level', 'debug'], folder);
}

const write = (states: Readonly<Record<string, string>>, path = 'edict.yaml', limit?: string): void =>
  writeFileSync(join(folder, path), fileOf(emulator.url, states, limit));

const isOnline = (api: string): boolean =>
  emulator.state.publications().some((known) => known.api === `api-${api}` && known.effective !== null);
/** Returns the calls that the gateway received. */
const changes = () => emulator.requests.all().filter(({ operation }) => operation === 'changePublication');
const onlineCalls = (): number => emulator.state.publications().reduce((sum, known) => sum + known.onlineCalls, 0);

/** Starts a daemon in this process. */
async function open(file = 'edict.yaml'): Promise<LoggedDaemon> {
  daemon = await startLoggedDaemon(folder, { paths: [file] });
  return daemon;
}

/** Resolves when the daemon, for a file with orders declared online, has made it online. */
async function works<Started extends Pick<Running, 'events'>>(running: Started): Promise<Started> {
  await until('orders is online', () => isOnline('orders') && running.events('reconcile:finished').length > 0);
  return running;
}

test('an edit that is saved in place reaches the gateway', async () => {
  write({ orders: 'online', invoices: 'offline' });
  await works(run());
  write({ orders: 'offline', invoices: 'online' });
  await until('the edit is made', () => isOnline('invoices') && !isOnline('orders'));
});

test('a file that is replaced by rename reaches the gateway, again and again', async () => {
  write({ orders: 'online' });
  await works(await open());
  for (const state of ['offline', 'online', 'offline']) {
    write({ orders: state }, 'edict.yaml.tmp');
    renameSync(join(folder, 'edict.yaml.tmp'), join(folder, 'edict.yaml'));
    await until(`orders is ${state}`, () => isOnline('orders') === (state === 'online'));
  }
});

test("a ConfigMap's swapped ..data reaches the gateway", async () => {
  for (const [name, state] of [
    ['..1', 'online'],
    ['..2', 'offline'],
  ] as const) {
    mkdirSync(join(folder, name));
    write({ orders: state }, join(name, 'edict.yaml'));
  }
  symlinkSync('..1', join(folder, '..data'));
  symlinkSync('..data/edict.yaml', join(folder, 'edict.yaml'));
  await works(await open());
  symlinkSync('..2', join(folder, '..data_tmp'));
  renameSync(join(folder, '..data_tmp'), join(folder, '..data'));
  await until('orders is offline', () => !isOnline('orders'));
});

test('a git-sync checkout whose parent directory is a swapped link reaches the gateway', async () => {
  for (const [name, state] of [
    ['rev-1', 'online'],
    ['rev-2', 'offline'],
    ['rev-3', 'online'],
  ] as const) {
    mkdirSync(join(folder, name, 'config'), { recursive: true });
    write({ orders: state }, join(name, 'config', 'edict.yaml'));
  }
  symlinkSync('rev-1', join(folder, 'current'));
  await works(await open('current/config/edict.yaml'));
  for (const [name, state] of [
    ['rev-2', 'offline'],
    ['rev-3', 'online'],
  ] as const) {
    symlinkSync(name, join(folder, 'next'));
    renameSync(join(folder, 'next'), join(folder, 'current'));
    await until(`orders is ${state}`, () => isOnline('orders') === (state === 'online'));
  }
});

test('an invalid edit changes nothing and is logged with its place, and its fix is applied', async () => {
  write({ orders: 'online', invoices: 'offline' });
  const running = await works(run());
  write({ orders: 'offline', invoices: 'onlin' });
  await until('the error is logged', () => running.events('file:invalid').length > 0);
  const diagnostics = running.events('file:invalid')[0]?.['errors'] as { file: string; line: number; column: number }[] | undefined;
  assert.equal(
    diagnostics?.map(({ file, line, column }) => [file, line, column]),
    [['edict.yaml', 7, 55]],
  );
  assert.ok(isOnline('orders'));
  write({ orders: 'offline', invoices: 'online' });
  await until('the fix is applied', () => !isOnline('orders') && isOnline('invoices'));
});

test('a file that is missing or empty for a moment changes nothing', async () => {
  write({ orders: 'online' });
  const running = await works(await open());
  rmSync(join(folder, 'edict.yaml'));
  await until('the missing file is logged', () => running.events('file:unreadable').length > 0);
  writeFileSync(join(folder, 'edict.yaml'), '');
  await until('the empty file is logged', () => running.events('file:invalid').length > 0);
  write({ orders: 'online', invoices: 'online' });
  await until('the file is followed again', () => isOnline('invoices'));
  assert.equal(
    changes().map(({ action }) => action),
    ['online', 'online'],
  );
});

test('a daemon that starts before its file exists waits for it', async () => {
  const running = await open();
  await until('the missing file is logged', () => running.events('file:unreadable').length > 0);
  write({ orders: 'online' });
  await until('orders is online', () => isOnline('orders'));
});

test('SIGHUP reconciles at once', async () => {
  write({ orders: 'online' });
  const running = await works(run());
  running.child.kill('SIGHUP');
  await until('it has reconciled', () => running.events('reconcile:started').some((pass) => pass['cause'] === 'signal'));
});

test('a daemon that is still waiting for its store survives SIGHUP', async () => {
  const { promise: connected, resolve } = Promise.withResolvers<void>();
  const silent = createServer(() => resolve()).listen(0, '127.0.0.1');
  await once(silent, 'listening');
  write({ orders: 'online' });
  const store = `postgres://127.0.0.1:${(silent.address() as AddressInfo).port}/edict`;
  const { child, finished } = startEdict(['run', '--state', store], folder);
  await connected;
  child.kill('SIGHUP');
  child.kill('SIGTERM');
  assert.is((await finished).code, 0);
  silent.close();
});

test('SIGTERM during an apply lets the calls in flight finish and records them; the next start makes only the missing calls', async () => {
  emulator.faults.latencyMs = 300;
  const all = Object.fromEntries(apis.map((api) => [api, 'online']));
  write(all, 'edict.yaml', '{ calls: 1000, per: 100ms, concurrency: 3 }');
  const first = run();
  await until('calls are in flight', () => changes().length >= 4);
  first.child.kill('SIGTERM');
  const { code, stdout, stderr } = await first.finished;
  assert.is(code, 0);
  assert.not.match(stdout + stderr, secretToken);
  const sent = changes().length;
  assert.ok(sent < apis.length);
  const history = JSON.parse((await edict(['history', '--format', 'json'], folder)).stdout) as {
    attempts: { outcome: string; code: string | null }[];
  };
  // An attempt that had begun may not have been sent yet.
  const inFlight = history.attempts.filter(({ code }) => code !== 'REQUEST_NOT_SENT');
  assert.equal(
    inFlight.map((attempt) => attempt.outcome),
    Array(sent).fill('succeeded'),
  );

  emulator.faults.latencyMs = 0;
  run();
  await until('all are online', () => apis.every(isOnline));
  assert.is(onlineCalls(), apis.length);
});

test('SIGKILL during an apply loses nothing: the next start resolves the unknown outcomes', async () => {
  emulator.faults.latencyMs = 300;
  write(Object.fromEntries(apis.map((api) => [api, 'online'])), 'edict.yaml', '{ calls: 1000, per: 100ms, concurrency: 3 }');
  const first = run();
  await until('calls are in flight', () => changes().length >= 4);
  first.child.kill('SIGKILL');
  await first.finished;
  const plan = JSON.parse((await edict(['plan', '--format', 'json'], folder)).stdout) as { changes: { reason: string }[] };
  const unresolved = plan.changes.filter((change) => change.reason === 'unknown').length;
  assert.ok(unresolved >= 1 && unresolved <= 3, `${unresolved} with an unknown outcome`);
  emulator.faults.latencyMs = 0;
  run();
  await until('all are online', () => apis.every(isOnline));
  assert.ok(onlineCalls() <= apis.length + unresolved);
});

test('a new file supersedes unsent changes', async () => {
  const all = Object.fromEntries(apis.map((api) => [api, 'online']));
  write(all, 'edict.yaml', '{ calls: 1, per: 1s }');
  const running = await open();
  await until('the first call is made', () => emulator.requests.all().length >= 1);
  write(Object.fromEntries(apis.map((api) => [api, 'offline'])), 'edict.yaml', '{ calls: 1, per: 1s }');
  await until('the new file is read', () => running.events('file:loaded').length >= 2);
  await until('the published ones are taken offline', () => emulator.state.publications().every((known) => known.effective === null));
  await sleep(1500);
  assert.ok(onlineCalls() <= 3, `${onlineCalls()} were published`);
  assert.ok(emulator.state.publications().every((known) => known.effective === null));
});

test('the status does not show a killed daemon as running', async () => {
  write({ orders: 'online' });
  const { child, finished } = await works(run());
  assert.match((await edict(['status'], folder)).stdout, /Running at .* \(pid \d+, as of/);
  child.kill('SIGKILL');
  await finished;
  assert.match(
    (await edict(['status'], folder)).stdout,
    `No edict process runs on this host: the last one, pid ${child.pid}, wrote its status at`,
  );
  const { daemon: status } = JSON.parse((await edict(['status', '--format', 'json'], folder)).stdout) as { daemon: { running: boolean } };
  assert.is(status.running, false);
});

test.run();
