import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Emulator, startEmulator } from '../../src/emulator/emulator.ts';
import { edict } from '../support/edict-command.ts';
import { fileOf, killStarted, scratchFolder, seedOf, startEdict, until } from '../support/edict-process.ts';

const test = suite('suspend');
const apis = Array.from({ length: 40 }, (_, index) => `a${index}`);
let emulator: Emulator;
let folder: string;

test.before.each(async () => {
  emulator = await startEmulator({ seed: seedOf(...apis) });
  folder = scratchFolder();
  const states = Object.fromEntries(apis.map((api) => [api, 'online']));
  writeFileSync(join(folder, 'edict.yaml'), fileOf(emulator.url, states, '{ calls: 4, per: 1s, concurrency: 1 }'));
});

test.after.each(async () => {
  await killStarted();
  await emulator.close();
});

const calls = () => emulator.requests.all().filter(({ operation }) => operation === 'changePublication');

test('a suspension stops a running daemon within a second, names it, and resume starts it again', async () => {
  const daemon = startEdict(['run', '--log-format', 'json'], folder);
  await until('it makes calls', () => calls().length >= 2);
  const suspended = await edict(['suspend', '--by', 'ada', '--reason', 'INC-7'], folder);
  const suspendedAtMs = Date.now();
  assert.is(suspended.code, 0, suspended.stderr);
  assert.match(suspended.stdout, `Takes effect within a second: `);
  await until('the log says so', () => daemon.events('plan:computed').some(({ suspension }) => String(suspension).includes('INC-7')), [
    daemon,
  ]);
  const made = calls().length;
  await sleep(1500);
  assert.is(calls().length, made, 'no call is made');
  assert.ok(calls().every(({ atMs }) => atMs < suspendedAtMs + 1200));
  assert.match((await edict(['status'], folder)).stdout, /No calls are made: suspended by ada since \S+Z \(INC-7\)\./);
  const resumed = await edict(['resume'], folder);
  assert.is(resumed.code, 0, resumed.stderr);
  await until('it makes calls again', () => calls().length > made + 2);
});

test('a daemon that starts on a store that was suspended before anything ran makes no call until resumed', async () => {
  assert.is((await edict(['suspend', '--reason', 'first rollout'], folder)).code, 0);
  const daemon = startEdict(['run', '--log-format', 'json'], folder);
  await until(
    'it has planned',
    () => daemon.events('plan:computed').some(({ suspension, level }) => suspension !== undefined && level === 40),
    [daemon],
  );
  await sleep(500);
  assert.is(calls().length, 0);
  await edict(['resume'], folder);
  await until('it makes calls', () => calls().length > 2);
});

test('a suspension stops a running apply, which ends with the rest deferred', async () => {
  const apply = startEdict(['apply'], folder);
  await until('it makes calls', () => calls().length >= 2);
  assert.is((await edict(['suspend', '--by', 'ada', '--reason', 'INC-7'], folder)).code, 0);
  const { code, stdout } = await apply.finished;
  assert.is(code, 0);
  assert.match(stdout, /^No calls are made: suspended by ada since \S+Z \(INC-7\)\.$/m);
  assert.match(stdout, / deferred\.$/m);
  assert.ok(calls().length < apis.length);
});

test.run();
