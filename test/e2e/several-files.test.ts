import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Emulator, startEmulator } from '../../src/emulator/emulator.ts';
import { fasterClock, startLoggedDaemon } from '../support/daemon.ts';
import { edict } from '../support/edict-command.ts';
import { fileOf, killStarted, type Running, scratchFolder, seedOf, startEdict, until } from '../support/edict-process.ts';

/*
 * One daemon with several files, each for a gateway of its own.
 */
const test = suite('several files');
const names = ['a', 'b', 'c', 'd'];
let emulators: Emulator[];
let folder: string;

async function gateways(count: number): Promise<void> {
  emulators = await Promise.all(
    Array.from({ length: count }, (_, gateway) => startEmulator({ seed: seedOf(...names.map((name) => `${name}${gateway}`)) })),
  );
}
test.before.each(() => {
  folder = scratchFolder();
});
test.after.each(async () => {
  await killStarted();
  await Promise.all(emulators.map((emulator) => emulator.close()));
});

/** Writes a file in which every API of the gateway is online except those named; no two gateways have an API in common. */
function write(name: string, gateway: number, ...offline: readonly string[]): void {
  const states = Object.fromEntries(names.map((api) => [`${api}${gateway}`, offline.includes(api) ? 'offline' : 'online']));
  writeFileSync(join(folder, name), fileOf(emulators[gateway]?.url ?? '', states));
}
const online = (gateway: number): number =>
  emulators[gateway]?.state.publications().filter(({ effective }) => effective !== null).length ?? 0;

function start(paths: readonly string[], ...options: readonly string[]): Running {
  const args = [
    'run',
    ...paths,
    '--log-format',
    'json',
    '--log-level',
    'debug',
    '--debounce',
    '20ms',
    '--state',
    'sqlite:.edict/state.db',
    ...options,
  ];
  return startEdict(args, folder);
}

/** Returns the events of one of the files. */
const of = (daemon: Pick<Running, 'events'>, event: string, file: string) =>
  daemon.events(event).filter((record) => String(record['file']).endsWith(file));

test('each file has its own gateway and failures: an invalid file and an unreachable gateway stop no other', async () => {
  await gateways(3);
  mkdirSync(join(folder, 'more'));
  write('good.yaml', 0);
  write('more/away.yaml', 1);
  await emulators[1]?.close();
  writeFileSync(join(folder, 'more/broken.yaml'), 'edict: 1\nrefresh: never\napis: [\n');
  const daemon = start(['good.yaml', 'more/']);
  await until('every possible change is made', () => online(0) === names.length);
  await until('the file is rejected', () => of(daemon, 'file:invalid', 'broken.yaml').length === 1);
  await until('the gateway is unreachable', () => of(daemon, 'gateway:observe_failed', 'away.yaml').length > 0);
  assert.is([...of(daemon, 'retry:scheduled', 'good.yaml'), ...of(daemon, 'gateway:observe_failed', 'good.yaml')].length, 0);
  write('more/broken.yaml', 2);
  await until('the fixed file is applied too', () => online(2) === names.length);
  write('good.yaml', 0, 'a');
  await until('an edit is applied', () => online(0) === names.length - 1);
  daemon.child.kill('SIGTERM');
  assert.is((await daemon.finished).code, 0);
});

test('the page of several files lists each, with a link', async () => {
  await gateways(2);
  write('one.yaml', 0);
  write('two.yaml', 1);
  const daemon = start(['one.yaml', 'two.yaml'], '--listen', '127.0.0.1:0');
  await until('all are online', () => online(0) === names.length && online(1) === names.length);
  const url = String(daemon.events('daemon:started')[0]?.['url']);
  const overview = await (await fetch(`${url}/api/v1/files`)).text();
  for (const name of ['one', 'two']) {
    assert.match(overview, `${name}.yaml`);
    const status = (await (await fetch(new URL(`${name}/api/v1/status`, `${url}/`))).json()) as { daemon: { file: { path: string } } };
    assert.match(status.daemon.file.path, `${name}.yaml`);
  }
  const metrics = await (await fetch(new URL('/metrics', url))).text();
  for (const name of ['one', 'two']) assert.match(metrics, `edict_file_valid{file="${name}.yaml"} 1\n`);
});

test('of two files for one gateway the second stands by', async () => {
  await gateways(1);
  write('one.yaml', 0);
  write('two.yaml', 0, ...names);
  await using daemon = await startLoggedDaemon(folder, { paths: ['one.yaml', 'two.yaml'], debounceMs: 20 });
  await until('one stands by', () => daemon.events('lease:standby').length === 1);
  const [waiting] = daemon.events('lease:standby');
  assert.match(String(waiting?.['reason']), 'for another file');
});

test('a file added to the folder is managed, and a removed one no longer: its publications stay', async () => {
  await gateways(3);
  mkdirSync(join(folder, 'all'));
  write('all/one.yaml', 0);
  const times = 10;
  const listen = { host: '127.0.0.1', port: 0 };
  await using daemon = await startLoggedDaemon(folder, { paths: ['all/'], debounceMs: 20 * times, listen, clock: fasterClock(times) });
  await until('all of the first are online', () => online(0) === names.length);
  write('all/two.yaml', 1, 'a');
  writeFileSync(join(folder, 'all/three.yaml'), 'edict: 1\nrefresh: never\napis: [\n');
  const held = () => of(daemon, 'plan:computed', 'two.yaml').filter(({ fileHeld }) => fileHeld === 'newGateway');
  await until('the gateway of the second waits for an approval', () => held().length > 0);
  const approval = ['approve', String(held()[0]?.['approvalDigest']), 'all/two.yaml', '--by', 'ada', '--reason', 'new team'];
  assert.is((await edict([...approval, '--state', 'sqlite:.edict/state.db'], folder)).code, 0);
  await until('all of the second are online', () => online(1) === names.length - 1);
  await until('the invalid one is reported', () => of(daemon, 'file:invalid', 'three.yaml').length === 1);
  const { url } = daemon;
  assert.is((await fetch(`${url}/readyz`)).status, 200, 'an invalid new one takes nothing offline');
  assert.match(await (await fetch(`${url}/api/v1/files`)).text(), 'all/two.yaml');
  renameSync(join(folder, 'all/one.yaml'), join(folder, 'all/renamed.yaml'));
  await until('the old name has stopped', () => of(daemon, 'file:removed', 'one.yaml').length === 1);
  await until('the new one is active', () => of(daemon, 'lease:acquired', 'renamed.yaml').length === 1);
  write('all/renamed.yaml', 0, 'b');
  await until('an edit of it is applied', () => online(0) === names.length - 1);
  const calls = (): number =>
    emulators.flatMap(({ requests }) => requests.all()).filter(({ operation }) => operation === 'changePublication').length;
  assert.is(calls(), names.length * 2, 'four, three, and one offline: none needless');
  rmSync(join(folder, 'all'), { recursive: true });
  await sleep(15_000 / times);
  assert.is(daemon.events('file:removed').length, 1, 'a missing folder says nothing about its files');
  assert.is(await daemon.stop(), 0);
  assert.is(calls(), names.length * 2);
});

test.run();
