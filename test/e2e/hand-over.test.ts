import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { startEmulator } from '../../src/emulator/emulator.ts';
import { fullestWindow } from '../chaos/rate.ts';
import { openTcpProxy } from '../chaos/tcp-proxy.ts';
import { fileOf, type Running, scratchFolder, seedOf, startEdict } from '../support/edict-process.ts';
import { all, isAtWork, machinesFor, standsBy } from '../support/machines.ts';

/*
 * A gateway that is handed over from one instance to another.
 */
const test = suite('hand-over');
const names = Array.from({ length: 60 }, (_, index) => `api${index}`);
const at = machinesFor(test, names);
const { until, machine, start, startHere, published, versions } = at;

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
  await until('one of them is active', () => isAtWork(one) || isAtWork(other));
  const [first, second] = isAtWork(one) ? [one, other] : [other, one];
  await until('the other one stands by', () => standsBy(second));
  await until('all are online', () => published() === 3);
  first.child.kill('SIGKILL');
  await until('the other one is active', () => isAtWork(second));
  await until('it has reconciled', () => second.events('reconcile:finished').length > 0);
  assert.is(versions(), 3, 'no needless call');
});

test('a replica whose file has a name unknown to the gateway takes nothing from the active one, and sends nothing', async () => {
  const named = (name: string): string => {
    const folder = machine({ [name]: 'online' });
    const file = join(folder, 'edict.yaml');
    writeFileSync(file, readFileSync(file, 'utf8').replaceAll(/id: api-\w+, /g, ''));
    return folder;
  };
  const working = await startHere(named('api0'));
  await until('it is active', () => published() === 1);
  const broken = await startHere(named('nobody'));
  await until('the other one stands by', () => standsBy(broken));
  const asked = at.emulator.requests.all().length;
  await sleep(3000);
  assert.is(at.emulator.requests.all().length, asked);
  assert.equal([working.events('lease:lost'), broken.events('plan:computed')], [[], []]);
  await working.stop();
  await until('the error of the other one is reported', () => broken.events('file:invalid').length === 1);
  const sent = at.emulator.requests.all().length;
  await sleep(3000);
  assert.ok(at.emulator.requests.all().length <= sent + 1, 'it does not read again and again');
  const third = await startHere(named('api1'));
  await until('the gateway is free for a replica with a valid file', () => published() === 2);
  assert.is(third.events('lease:standby').length, 0);
});

test('no window holds more than the limit across a hand-over, after a crash and after a clean shutdown', async () => {
  const [calls, perMs] = [5, 8000];
  const states = all('online', names.slice(0, 15));
  const daemons = Array.from({ length: 3 }, () => start(machine(states, `{ calls: ${calls}, per: ${perMs}ms }`)));
  /** Resolves to an instance that has used up a window and recorded it, after those in `before`. */
  const worked = async (...before: readonly Running[]): Promise<Running> => {
    const among = daemons.filter((daemon) => !before.includes(daemon));
    const has = (daemon: Running): boolean => daemon.events('attempt:finished').length >= calls;
    await until('one has used up its window', () => among.some(has));
    return among.find(has) as Running;
  };
  const killed = await worked();
  killed.child.kill('SIGKILL');
  const stopped = await worked(killed);
  stopped.child.kill('SIGTERM');
  await until('all are online', () => published() === 15);
  assert.is(versions(), 15);
  const times = at.emulator.requests.all().map(({ atMs }) => atMs);
  assert.ok(fullestWindow(times, perMs) <= calls, `${times}`);
});

test('a file that leaves its folder while the database is unavailable stops no other file', async () => {
  const [way, folder] = [await openTcpProxy(`http://${new URL(at.state).host}`), scratchFolder()];
  const other = await startEmulator({ seed: seedOf('other') });
  const through = new URL(at.state);
  through.host = new URL(way.url).host;
  mkdirSync(join(folder, 'all'));
  writeFileSync(join(folder, 'all/one.yaml'), fileOf(at.emulator.url, { api0: 'online' }));
  writeFileSync(join(folder, 'all/two.yaml'), fileOf(other.url, { other: 'online' }));
  const daemon = startEdict(['run', 'all/', '--state', through.href, '--log-format', 'json', '--debounce', '20ms'], folder);
  at.running.push(daemon);
  await until('both are reconciled', () => daemon.events('reconcile:finished').length === 2);
  rmSync(join(folder, 'all/two.yaml'));
  // It is given up after ten seconds: the database is unavailable then, and the lease counts as held.
  const startedAtMs = Date.parse(String(daemon.events('daemon:started')[0]?.['time']));
  await sleep(startedAtMs + 8500 - Date.now());
  way.setMode('refused');
  await until('it has been given up', () => daemon.events('file:removed').length === 1);
  await until('the unavailable database is reported', () => daemon.events('store:error').length > 0);
  way.setMode('clear');
  writeFileSync(join(folder, 'all/one.yaml'), fileOf(at.emulator.url, { api0: 'online', api1: 'online' }));
  await until('the other one is still reconciled', () => published() === 2);
  daemon.child.kill('SIGTERM');
  assert.is((await daemon.finished).code, 0);
  await other.close();
  await way[Symbol.asyncDispose]();
});

test.run();
