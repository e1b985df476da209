import { writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { openTcpProxy } from '../chaos/tcp-proxy.ts';
import { edict } from '../support/edict-command.ts';
import { fileOf, secretToken, startEdict } from '../support/edict-process.ts';
import { all, isAtWork, machinesFor, standsBy } from '../support/machines.ts';

/*
 * Several instances with one PostgreSQL record, each as if on a machine of its own.
 */
const test = suite('a store in PostgreSQL');
const names = Array.from({ length: 60 }, (_, index) => `api${index}`);
const at = machinesFor(test, names);
const { until, machine, start, startHere, published, versions } = at;

test('apply, status, history and plan work as with a file', async () => {
  const folder = machine({ api0: 'online', api1: 'online' });
  const run = (...args: string[]) => edict([...args, '--state', at.state], folder, { HW_AUTH_TOKEN: secretToken });
  assert.match((await run('plan')).stdout, '2');
  assert.is((await run('apply')).code, 0);
  assert.is(published(), 2);
  const plan = JSON.parse((await run('plan', '--format', 'json')).stdout);
  assert.equal([plan.summary.unchanged + plan.summary.settling, plan.changes], [2, []]);
  assert.match((await run('status')).stdout, 'api0');
  assert.is(JSON.parse((await run('history', '--format', 'json')).stdout).attempts.length, 2);
  assert.is((await run('apply')).code, 0);
  assert.is(versions(), 2);
});

test('the password of the store appears in no output', async () => {
  const { password } = new URL(at.state);
  const folder = machine({ api0: 'online', api1: 'online' });
  const guarded = (states: Readonly<Record<string, string>>): void =>
    writeFileSync(join(folder, 'edict.yaml'), fileOf(at.emulator.url, states).replace('maxOffline: 100%', 'maxOffline: 0'));
  const daemon = startEdict(['run', '--state', at.state, '--log-format', 'json', '--debounce', '20ms', '--listen', '127.0.0.1:0'], folder);
  at.running.push(daemon);
  await until('both are online', () => published() === 2);
  guarded({ api0: 'online', api1: 'offline' });
  await until('it is held', () => daemon.events('plan:computed').some(({ held }) => held === 1));
  const url = String(daemon.events('daemon:started')[0]?.['url']);
  const written = [
    await (await fetch(new URL('api/v1/status', `${url}/`))).text(),
    await (await fetch(new URL('metrics', `${url}/`))).text(),
  ];
  for (const args of [['plan'], ['status'], ['status', '--format', 'json'], ['explain', 'api1', 'test'], ['state', 'show'], ['history']]) {
    const { stdout, stderr } = await edict([...args, '--state', at.state], folder);
    written.push(stdout, stderr);
  }
  const { stdout, stderr } = await startEdict(['apply', '--state', at.state], folder).finished;
  written.push(stdout, stderr, daemon.output.stderr);
  assert.match(written.join(''), 'edict approve');
  for (const text of written) assert.not.match(text, new RegExp(`:${password || 'no password'}@`));
});

test('one daemon is active, the other stands by and takes over when the first is killed', async () => {
  const states = all('online', names);
  const first = start(machine(states, '{ calls: 20, per: 1s }'));
  await until('the first is active', () => isAtWork(first));
  const second = await startHere(machine(states, '{ calls: 20, per: 1s }'));
  await until('the second stands by', () => standsBy(second));
  await until('some are online', () => published() > 10);
  first.child.kill('SIGKILL');
  await until('the second is active', () => isAtWork(second));
  await until('all are online', () => published() === names.length);
  await until('it is in sync', () => second.events('reconcile:finished').some(({ failed }) => failed === 0));
  assert.is(versions(), names.length, 'no needless call');
});

test('a daemon that is stopped hands over', async () => {
  const folder = machine(all('online', names));
  const first = await startHere(folder);
  await until('the first is in sync', () => published() === names.length && first.events('reconcile:finished').length > 0);
  const second = await startHere(machine({ ...all('online', names), api0: 'offline' }));
  await until('the second stands by', () => standsBy(second));
  await first.stop();
  await until('the second is active', () => isAtWork(second));
  await until('it has made its own change', () => published() === names.length - 1);
});

test('a daemon that was paused with SIGSTOP sends nothing after it has lost the lease, and stands by', async () => {
  const states = all('online', names);
  const first = start(machine(states, '{ calls: 20, per: 1s }'));
  await until('some are online', () => published() > 10);
  first.child.kill('SIGSTOP');
  const second = await startHere(machine(states, '{ calls: 20, per: 1s }'));
  await until('the second is active', () => isAtWork(second));
  first.child.kill('SIGCONT');
  await until('all are online', () => published() === names.length);
  await until('the first stands by', () => standsBy(first));
  await until('the second is in sync', () => second.events('reconcile:finished').some(({ failed }) => failed === 0));
  assert.is(versions(), names.length, 'no needless call');
});

test('an instance whose file is older than the last one acted on does not take over until its file is up to date', async () => {
  const before = all('online', names.slice(0, 3));
  const after = { ...before, api0: 'offline' };
  const [ahead, late] = [machine(before), machine(before)];
  const first = await startHere(ahead);
  await until('the first has made all changes', () => published() === 3);
  const second = await startHere(late);
  await until('the second stands by', () => standsBy(second));
  writeFileSync(join(ahead, 'edict.yaml'), fileOf(at.emulator.url, after));
  await until('the newer change is made', () => published() === 2);
  await first.stop();
  await until('the second waits for its file', () => second.events('lease:standby').some(({ reason }) => String(reason).includes('older')));
  await sleep(3000);
  assert.equal([published(), isAtWork(second), versions()], [2, false, 4]);
  writeFileSync(join(late, 'edict.yaml'), fileOf(at.emulator.url, after));
  await until('it takes over with the same file', () => isAtWork(second));
  await sleep(300);
  assert.equal([published(), versions()], [2, 4]);
});

test('nothing is sent while the database is unavailable, and afterwards the daemon continues', async () => {
  const folder = machine(all('online', names.slice(0, 30)), '{ calls: 20, per: 1s }');
  await startHere(folder);
  await until('some are online', () => published() > 5);
  await at.server.restart();
  await until('all are online', () => published() === 30);
  await sleep(300);
  assert.is(versions(), 30, 'no needless call');
});

test('a database that does not exist yet is waited for, and SIGTERM ends the wait', async () => {
  const folder = machine({ api0: 'online' });
  const way = await openTcpProxy(`http://${new URL(at.state).host}`);
  const address = new URL(at.state);
  address.host = new URL(way.url).host;
  way.setMode('refused');
  const start = () => startEdict(['run', '--state', address.href, '--log-format', 'json', '--debounce', '20ms'], folder);
  const daemon = start();
  at.running.push(daemon);
  await until('it reports it', () => daemon.events('store:error').length > 0);
  way.setMode('clear');
  await until('it is active', () => published() === 1);
  way.setMode('refused');
  const other = start();
  await until('the other one reports it', () => other.events('store:error').length > 0);
  other.child.kill('SIGTERM');
  assert.is((await other.finished).code, 0);
  await way[Symbol.asyncDispose]();
});

test('apply names the lease holder, and with --lock-timeout waits for the lease', async () => {
  const folder = machine(all('online', names));
  const daemon = start(folder);
  await until('it is active', () => isAtWork(daemon));
  assert.match(
    (await edict(['status', '--state', at.state], folder)).stdout,
    new RegExp(`Running.*\\(${hostname()}, pid ${daemon.child.pid}`),
  );
  const refused = await edict(['apply', '--state', at.state], folder);
  assert.is(refused.code, 1);
  assert.match(refused.stderr, /another edict process holds the lease of the gateway \(.*pid \d+/);
  assert.is((await edict(['undo', '--state', at.state], folder)).code, 0, 'undo only reads');
  const waiting = startEdict(['apply', '--state', at.state, '--lock-timeout', '20s'], folder);
  await until('it waits', () => waiting.output.stderr.includes('another edict process holds the lease of the gateway'));
  daemon.child.kill('SIGTERM');
  assert.is((await waiting.finished).code, 0);
});

test.run();
