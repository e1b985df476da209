import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Emulator, startEmulator } from '../../src/emulator/emulator.ts';
import { type LoggedDaemon, startLoggedDaemon } from '../support/daemon.ts';
import { edict } from '../support/edict-command.ts';
import { fileOf, scratchFolder, seedOf, until } from '../support/edict-process.ts';

const test = suite('include');
let emulator: Emulator;
let folder: string;
let daemon: LoggedDaemon | null = null;

test.before.each(async () => {
  emulator = await startEmulator({ seed: seedOf('a', 'b', 'c', 'd') });
  folder = scratchFolder();
});

test.after.each(async () => {
  await daemon?.stop();
  daemon = null;
  await emulator.close();
});

const online = (): string =>
  emulator.state
    .publications()
    .filter(({ effective }) => effective)
    .map(({ api }) => api.slice(-1))
    .sort()
    .join('');
const calls = (): number => emulator.requests.all().filter(({ operation }) => operation === 'changePublication').length;

const part = (states: Readonly<Record<string, string>>): string =>
  `apis:\n${Object.entries(states)
    .map(([name, state]) => `  ${name}: { id: api-${name}, environments: { test: ${state} } }\n`)
    .join('')}`;

function write(path: string, text: string): void {
  mkdirSync(join(folder, path, '..'), { recursive: true });
  writeFileSync(join(folder, path), text);
}

const writeMain = (path = 'edict.yaml'): void =>
  write(path, fileOf(emulator.url, {}).replace('apis: {}', 'prune: true\ninclude: [apis/*.yaml]'));

async function running(file = 'edict.yaml'): Promise<void> {
  daemon = await startLoggedDaemon(folder, { paths: [file] });
  await until('the first reconciliation has finished', () => daemon !== null && daemon.events('reconcile:finished').length > 0);
}

test('an included file is followed: edited, replaced, added, removed, and moved to another', async () => {
  writeMain();
  write('apis/one.yaml', part({ a: 'online' }));
  await running();
  await until('a is online', () => online() === 'a');
  write('apis/one.yaml', part({ a: 'online', b: 'online' }));
  await until('an edit is made', () => online() === 'ab');
  write('apis/one.new', part({ a: 'online', b: 'offline' }));
  renameSync(join(folder, 'apis/one.new'), join(folder, 'apis/one.yaml'));
  await until('a replacement is made', () => online() === 'a');
  write('apis/two.yaml', part({ c: 'online' }));
  await until('a new file is included', () => online() === 'ac');
  const before = calls();
  write('apis/two.yaml', part({ a: 'online', c: 'online' }));
  write('apis/one.yaml', part({ b: 'offline' }));
  await until('the move is read', () => daemon?.events('file:loaded').length === 5);
  await sleep(300);
  assert.equal([online(), calls()], ['ac', before], 'the moved publication is not lost, and needs no call');
  rmSync(join(folder, 'apis/two.yaml'));
  await until(
    'the vanished file is held',
    () => daemon?.events('plan:computed').some(({ fileHeld }) => fileHeld === 'missingInclude') ?? false,
  );
  await sleep(300);
  assert.is(online(), 'ac');
  const digest = String(daemon?.events('plan:computed').at(-1)?.['approvalDigest']);
  assert.is((await edict(['approve', digest, '--by', 'ada', '--reason', 'the team is gone'], folder)).code, 0);
  await until('it was intended', () => online() === '');
});

test('a half-written included file leaves the last valid state in force, and its fix is applied', async () => {
  writeMain();
  write('apis/one.yaml', part({ a: 'online' }));
  await running();
  await until('a is online', () => online() === 'a');
  write('apis/one.yaml', 'apis:\n  a: { id: api-a, environments: { test: offl');
  await until('it is invalid', () => (daemon?.events('file:invalid').length ?? 0) > 0);
  assert.match(JSON.stringify(daemon?.events('file:invalid')[0]?.['errors']), 'apis/one.yaml');
  assert.is(online(), 'a');
  write('apis/one.yaml', part({ a: 'offline' }));
  await until('the fix is applied', () => online() === '');
});

test('a checkout that is swapped by a symbolic link in a parent directory is read as one', async () => {
  for (const [name, state] of [
    ['first', 'online'],
    ['second', 'offline'],
  ] as const) {
    writeMain(`${name}/edict.yaml`);
    write(`${name}/apis/one.yaml`, part({ a: state }));
  }
  symlinkSync('first', join(folder, 'current'));
  await running('current/edict.yaml');
  await until('a is online', () => online() === 'a');
  symlinkSync('second', join(folder, 'next'));
  renameSync(join(folder, 'next'), join(folder, 'current'));
  await until('the swap is followed', () => online() === '');
});

test('a plan names the included file, and so does an error', async () => {
  writeMain();
  write('apis/one.yaml', part({ a: 'online' }));
  assert.match((await edict(['plan'], folder)).stdout, /\+ a +test +new: .* apis\/one\.yaml:2/);
  write('apis/one.yaml', part({ a: 'onlin' }));
  const { code, stdout } = await edict(['validate'], folder);
  assert.is(code, 3);
  assert.match(stdout, /^apis\/one\.yaml:2:\d+ {2}"onlin" is not allowed/m);
});

test.run();
