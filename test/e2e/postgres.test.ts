import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Emulator, startEmulator } from '../../src/emulator/emulator.ts';
import { openWay } from '../chaos/way.ts';
import { edict, fileOf, type Running, scratchFolder, secretToken, seedOf, startEdict, until as untilOf } from '../support/edict-process.ts';
import { type PostgresServer, postgresServer } from '../support/postgres.ts';

/*
 * Several edicts, each on a machine of its own as far as they know, with one record in PostgreSQL.
 */
const test = suite('a store in PostgreSQL');
const names = Array.from({ length: 60 }, (_, index) => `api${index}`);
let server: PostgresServer;
let emulator: Emulator;
let state: string;
let running: Running[] = [];

test.before(async () => {
  server = await postgresServer();
});
test.after(() => server.close());
test.before.each(async () => {
  emulator = await startEmulator({ seed: seedOf(...names) });
  state = await server.database();
  running = [];
});
test.after.each(async () => {
  for (const { child } of running) child.kill('SIGCONT');
  for (const { child } of running) child.kill('SIGKILL');
  await Promise.all(running.map(({ finished }) => finished));
  await emulator.close();
});

const until = (what: string, condition: () => boolean, withinMs?: number): Promise<void> => untilOf(what, condition, running, withinMs);

/** A machine of its own: a folder with the same file. */
function machine(states: Readonly<Record<string, string>>, limit?: string): string {
  const folder = scratchFolder();
  writeFileSync(join(folder, 'edict.yaml'), fileOf(emulator.url, states, limit));
  return folder;
}

function start(folder: string): Running {
  const daemon = startEdict(['run', '--state', state, '--log-format', 'json', '--log-level', 'debug', '--debounce', '20ms'], folder);
  running.push(daemon);
  return daemon;
}

const all = (wanted: 'online' | 'offline', of: readonly string[] = names) => Object.fromEntries(of.map((name) => [name, wanted]));
const published = (): number => emulator.world.publications().filter(({ effective }) => effective !== null).length;
const isAtWork = (daemon: Running): boolean => daemon.events('plan:made').length > 0;
const standsBy = (daemon: Running): boolean => daemon.events('lease:waited').length > 0;
/** How many versions the gateway has made: each needless call would make one more. */
const versions = (): number =>
  emulator.requests.all().filter(({ operation, status }) => operation === 'changePublication' && (status ?? 500) < 300).length;

test('apply, status, history and plan work as with a file', async () => {
  const folder = machine({ api0: 'online', api1: 'online' });
  const run = (...args: string[]) => edict([...args, '--state', state], folder, { HW_AUTH_TOKEN: secretToken });
  assert.match((await run('plan')).stdout, '2');
  assert.is((await run('apply')).code, 0);
  assert.is(published(), 2);
  const plan = JSON.parse((await run('plan', '--format', 'json')).stdout);
  assert.equal([plan.summary.unchanged, plan.changes], [2, []]);
  assert.match((await run('status')).stdout, 'api0');
  assert.is(JSON.parse((await run('history', '--format', 'json')).stdout).attempts.length, 2);
  assert.is((await run('apply')).code, 0);
  assert.is(versions(), 2);
});

test('the password of the store is in nothing that is written', async () => {
  const { password } = new URL(state);
  const folder = machine({ api0: 'online', api1: 'online' });
  const guarded = (states: Readonly<Record<string, string>>): void =>
    writeFileSync(join(folder, 'edict.yaml'), fileOf(emulator.url, states).replace('maxOffline: 100%', 'maxOffline: 0'));
  const daemon = startEdict(['run', '--state', state, '--log-format', 'json', '--debounce', '20ms', '--listen', '127.0.0.1:0'], folder);
  running.push(daemon);
  await until('both are online', () => published() === 2);
  guarded({ api0: 'online', api1: 'offline' });
  await until('it is held', () => daemon.events('plan:made').some(({ held }) => held === 1));
  const url = String(daemon.events('daemon:started')[0]?.['url']);
  const written = [
    await (await fetch(new URL('api/v1/status', `${url}/`))).text(),
    await (await fetch(new URL('metrics', `${url}/`))).text(),
  ];
  for (const args of [
    ['plan'],
    ['status'],
    ['status', '--format', 'json'],
    ['explain', 'api1', 'test'],
    ['state', 'show'],
    ['apply'],
    ['history'],
  ]) {
    const { stdout, stderr } = await edict([...args, '--state', state], folder);
    written.push(stdout, stderr);
  }
  written.push(daemon.output.stderr);
  assert.match(written.join(''), 'edict approve');
  for (const text of written) assert.not.match(text, new RegExp(`:${password || 'no password'}@`));
});

test('one daemon works, the other stands by and takes over when the first is killed', async () => {
  const states = all('online');
  const first = start(machine(states, '{ calls: 20, per: 1s }'));
  await until('the first works', () => isAtWork(first));
  const second = start(machine(states, '{ calls: 20, per: 1s }'));
  await until('the second stands by', () => standsBy(second));
  await until('some are online', () => published() > 10);
  first.child.kill('SIGKILL');
  await until('the second works', () => isAtWork(second));
  await until('all is online', () => published() === names.length);
  await until('it has converged', () => second.events('pass:finished').some(({ failed }) => failed === 0));
  assert.is(versions(), names.length, 'not one needless call');
});

test('a replica whose file has names instead of IDs stands by and takes over like any other', async () => {
  const named = (): string => {
    const folder = machine(all('online', names.slice(0, 3)));
    const file = join(folder, 'edict.yaml');
    writeFileSync(
      file,
      readFileSync(file, 'utf8')
        .replaceAll(/id: api-\w+, /g, '')
        .replace('test: env-test', 'test: { name: test }'),
    );
    return folder;
  };
  const [one, other] = [start(named()), start(named())] as const;
  await until('one of them works', () => isAtWork(one) || isAtWork(other));
  const [first, second] = isAtWork(one) ? [one, other] : [other, one];
  await until('the other one stands by', () => standsBy(second));
  await until('all is online', () => published() === 3);
  first.child.kill('SIGKILL');
  await until('the other one works', () => isAtWork(second), 15_000);
  await until('it has made its pass', () => second.events('pass:finished').length > 0);
  assert.is(versions(), 3, 'not one needless call');
});

test('a daemon that is stopped hands over', async () => {
  const folder = machine(all('online'));
  const first = start(folder);
  await until('the first has converged', () => published() === names.length && first.events('pass:finished').length > 0);
  const second = start(machine({ ...all('online'), api0: 'offline' }));
  await until('the second stands by', () => standsBy(second));
  first.child.kill('SIGTERM');
  assert.is((await first.finished).code, 0);
  await until('the second works', () => isAtWork(second));
  await until('it has made its own change', () => published() === names.length - 1);
});

test('a daemon that was stopped in its sleep sends nothing after it has lost the lease, and stands by', async () => {
  const states = all('online');
  const first = start(machine(states, '{ calls: 20, per: 1s }'));
  await until('some are online', () => published() > 10);
  first.child.kill('SIGSTOP');
  const second = start(machine(states, '{ calls: 20, per: 1s }'));
  await until('the second works', () => isAtWork(second));
  first.child.kill('SIGCONT');
  await until('all is online', () => published() === names.length);
  await until('the first stands by', () => standsBy(first));
  await until('the second has converged', () => second.events('pass:finished').some(({ failed }) => failed === 0));
  assert.is(versions(), names.length, 'not one needless call');
});

test('an edict whose file is older than what was acted on last does not take over, until its file has come too', async () => {
  const before = all('online', names.slice(0, 3));
  const after = { ...before, api0: 'offline' };
  const [ahead, late] = [machine(before), machine(before)];
  const first = start(ahead);
  await until('the first has made all', () => published() === 3);
  const second = start(late);
  await until('the second stands by', () => standsBy(second));
  writeFileSync(join(ahead, 'edict.yaml'), fileOf(emulator.url, after));
  await until('what is newer is made', () => published() === 2);
  first.child.kill('SIGTERM');
  await first.finished;
  await until('the second waits for its file', () => second.events('lease:waited').some(({ reason }) => String(reason).includes('older')));
  await sleep(3000);
  assert.equal([published(), isAtWork(second), versions()], [2, false, 4]);
  writeFileSync(join(late, 'edict.yaml'), fileOf(emulator.url, after));
  await until('it takes over with the same file', () => isAtWork(second));
  await sleep(300);
  assert.equal([published(), versions()], [2, 4]);
});

test('while the database is away nothing is sent, and afterwards it goes on', async () => {
  const folder = machine(all('online', names.slice(0, 30)), '{ calls: 20, per: 1s }');
  start(folder);
  await until('some are online', () => published() > 5);
  await server.restart();
  await until('all is online', () => published() === 30, 45_000);
  await sleep(300);
  assert.is(versions(), 30, 'not one needless call');
});

test('a file that leaves its folder while the database is away ends nothing else', async () => {
  const [way, folder] = [await openWay(`http://${new URL(state).host}`), scratchFolder()];
  const other = await startEmulator({ seed: seedOf('other') });
  const through = new URL(state);
  through.host = new URL(way.url).host;
  mkdirSync(join(folder, 'all'));
  writeFileSync(join(folder, 'all/one.yaml'), fileOf(emulator.url, { api0: 'online' }));
  writeFileSync(join(folder, 'all/two.yaml'), fileOf(other.url, { other: 'online' }));
  const daemon = startEdict(['run', 'all/', '--state', through.href, '--log-format', 'json', '--debounce', '20ms'], folder);
  running.push(daemon);
  await until('both are looked after', () => daemon.events('pass:finished').length === 2);
  rmSync(join(folder, 'all/two.yaml'));
  // It is given up after ten seconds; then the database has just gone, and the lease is thought to be held.
  const startedAtMs = Date.parse(String(daemon.events('daemon:started')[0]?.['time']));
  await sleep(startedAtMs + 8500 - Date.now());
  way.turn('refused');
  await until('it is given up', () => daemon.events('file:removed').length === 1);
  await until('it is told that the database is away', () => daemon.events('store:failed').length > 0);
  way.turn('clear');
  writeFileSync(join(folder, 'all/one.yaml'), fileOf(emulator.url, { api0: 'online', api1: 'online' }));
  await until('the other one is looked after as ever', () => published() === 2);
  daemon.child.kill('SIGTERM');
  assert.is((await daemon.finished).code, 0);
  await other.close();
  await way[Symbol.asyncDispose]();
});

test('a database that is not there yet is waited for, and SIGTERM ends the waiting', async () => {
  const folder = machine({ api0: 'online' });
  const way = await openWay(`http://${new URL(state).host}`);
  const address = new URL(state);
  address.host = new URL(way.url).host;
  way.turn('refused');
  const start = () => startEdict(['run', '--state', address.href, '--log-format', 'json', '--debounce', '20ms'], folder);
  const daemon = start();
  running.push(daemon);
  await until('it says so', () => daemon.events('store:failed').length > 0);
  way.turn('clear');
  await until('it works', () => published() === 1);
  way.turn('refused');
  const other = start();
  await until('the other one says so', () => other.events('store:failed').length > 0);
  other.child.kill('SIGTERM');
  assert.is((await other.finished).code, 0);
  await way[Symbol.asyncDispose]();
});

test('apply says who works on the gateway, and with --wait waits for it', async () => {
  const folder = machine(all('online'));
  const daemon = start(folder);
  await until('it works', () => isAtWork(daemon));
  assert.match(
    (await edict(['status', '--state', state], folder)).stdout,
    new RegExp(`At work.*\\(${hostname()}, pid ${daemon.child.pid}`),
  );
  const refused = await edict(['apply', '--state', state], folder);
  assert.is(refused.code, 1);
  assert.match(refused.stderr, /another edict works on the gateway \(.*pid \d+/);
  const undone = await edict(['undo', '--apply', '--state', state], folder);
  assert.is(undone.code, 1);
  assert.match(undone.stderr, 'a daemon keeps to the file');
  const waiting = startEdict(['apply', '--state', state, '--wait', '20s'], folder);
  await until('it waits', () => waiting.output.stderr.includes('another edict works on the gateway'));
  daemon.child.kill('SIGTERM');
  assert.is((await waiting.finished).code, 0);
});

test.run();
