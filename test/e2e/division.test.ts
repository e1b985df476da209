import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Emulator, startEmulator } from '../../src/emulator/emulator.ts';
import { fileOf, killStarted, type Running, scratchFolder, seedOf, startEdict, until } from '../support/edict-process.ts';
import { type PostgresServer, postgresServer } from '../support/postgres.ts';

/*
 * Several instances with the same files and one PostgreSQL store divide the gateways among themselves.
 */
const test = suite('division');
const names = ['a', 'b', 'c', 'd'];
const files = Array.from({ length: 6 }, (_, gateway) => `gateway${gateway}.yaml`);
let server: PostgresServer;
let emulators: Emulator[] = [];
let folder: string;
let state: string;
const running: Running[] = [];

test.before(async () => {
  server = await postgresServer();
  state = await server.database();
  folder = scratchFolder();
  emulators = await Promise.all(files.map((_, gateway) => startEmulator({ seed: seedOf(...apisOf(gateway)) })));
  for (const [gateway, { url }] of emulators.entries()) {
    const states = Object.fromEntries(apisOf(gateway).map((api) => [api, 'online']));
    writeFileSync(join(folder, `gateway${gateway}.yaml`), fileOf(url, states));
  }
});
test.after(async () => {
  await killStarted();
  await Promise.all(emulators.map((emulator) => emulator.close()));
  await server.close();
});

/** No two gateways have an API in common. */
const apisOf = (gateway: number): string[] => names.map((name) => `${name}${gateway}`);

function start(): Running {
  const daemon = startEdict(['run', ...files, '--state', state, '--log-format', 'json', '--log-level', 'debug'], folder);
  running.push(daemon);
  return daemon;
}

/** Returns how many gateways an instance manages, by the start and stop events in its log. */
function load(daemon: Running): number {
  const records = ['reconcile:started', 'lease:lost', 'lease:standby'].flatMap((event) => daemon.events(event));
  const ofFile = Map.groupBy(records, (record) => String(record['file']));
  return files.filter((file) => {
    const inOrder = (ofFile.get(file) ?? []).toSorted((a, b) => Date.parse(String(a['time'])) - Date.parse(String(b['time'])));
    return inOrder.at(-1)?.['event'] === 'reconcile:started';
  }).length;
}
const loads = (): string =>
  running
    .map(load)
    .toSorted((a, b) => a - b)
    .join();

test('three instances with six files have two gateways each; those of one that is killed or stopped go to the others evenly', async () => {
  start();
  await until('one has all', () => loads() === '6');
  start();
  await until('two have three each', () => loads() === '3,3');
  start();
  await until('three have two each', () => loads() === '2,2,2');
  running.shift()?.child.kill('SIGKILL');
  await until('two have three each again', () => loads() === '3,3');
  const stopped = running.shift();
  stopped?.child.kill('SIGTERM');
  assert.is((await stopped?.finished)?.code, 0);
  await until('one has all again', () => loads() === '6');
  for (const { child } of running) child.kill('SIGTERM');
  for (const { finished } of running) assert.is((await finished).code, 0);
  for (const { state, requests } of emulators) {
    assert.is(state.publications().filter(({ effective }) => effective !== null).length, names.length);
    assert.is(requests.all().filter(({ operation }) => operation === 'changePublication').length, names.length, 'no needless call');
  }
});

test.run();
