import { execFileSync } from 'node:child_process';
import { readdirSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Emulator, startEmulator } from '../../src/emulator/emulator.ts';
import { edict } from '../support/edict-command.ts';
import { fileOf, scratchFolder, seedOf, startEdict, until } from '../support/edict-process.ts';

let emulator: Emulator;
let folder: string;

test.before.each(async () => {
  emulator = await startEmulator({ seed: seedOf('a', 'b', 'c') });
  folder = scratchFolder();
});
test.after.each(() => emulator.close());

const write = (states: Readonly<Record<string, string>>): void => writeFileSync(join(folder, 'edict.yaml'), fileOf(emulator.url, states));
const calls = (): number => emulator.requests.all().filter(({ operation }) => operation === 'changePublication').length;

/** Limits the files of the process to `bytes`, like a full disk. */
function limitFiles(pid: number | undefined, bytes: number | 'unlimited'): void {
  execFileSync('prlimit', [`--pid=${pid}`, `--fsize=${bytes}:unlimited`]);
}

test('no call is made while the disk is full, and the daemon continues when it is not', async () => {
  write({});
  const daemon = startEdict(['run', '--debounce', '20ms', '--log-format', 'json'], folder);
  await until('it is in sync', () => daemon.events('plan:computed').length === 1);
  limitFiles(daemon.child.pid, 0);
  write({ a: 'online', b: 'online', c: 'online' });
  await until('the store has failed', () => daemon.events('store:error').length >= 3);
  assert.is(calls(), 0);
  assert.match(
    String(daemon.events('store:error')[0]?.['reason']),
    /^the store .*state\.db (?:cannot be read or written by the disk|cannot grow: the disk is full)$/,
  );
  limitFiles(daemon.child.pid, 'unlimited');
  await until('all are online', () => emulator.state.publications().length === 3);
  daemon.child.kill('SIGTERM');
  assert.is((await daemon.finished).code, 0);
  assert.is(calls(), 3);
  assert.match((await edict(['apply'], folder)).stdout, /^(?:In sync|No changes)/);
});

test('while the disk takes no record, apply ends after its tries with exit code 5, counts that add up, and few lines', async () => {
  const names = Array.from({ length: 30 }, (_, index) => `api${index}`);
  const many = await startEmulator({ seed: seedOf(...names) });
  const writeMany = (states: readonly string[]): void =>
    writeFileSync(join(folder, 'edict.yaml'), fileOf(many.url, Object.fromEntries(states.map((name) => [name, 'online']))));
  writeMany([]);
  await edict(['apply'], folder);
  writeMany(names);
  many.faults.latencyMs = 300;
  const apply = startEdict(['apply', '--format', 'json', '--log-format', 'json'], folder);
  await until('calls are in flight', () => many.requests.all().some(({ operation }) => operation === 'changePublication'));
  limitFiles(apply.child.pid, 0);
  const { code, stdout, stderr } = await apply.finished;
  await many.close();
  assert.is(code, 5);
  const summary = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Record<string, number>;
  assert.is(Number(summary['online']) + Number(summary['failed']), names.length, stdout);
  assert.ok(stderr.split('\n').filter((line) => line.includes('store:error')).length <= 12, stderr);
});

test('an outcome that cannot be written is written later, and its call is not repeated', async () => {
  write({});
  emulator.faults.latencyMs = 1500;
  const daemon = startEdict(['run', '--debounce', '20ms', '--log-format', 'json'], folder);
  await until('it is in sync', () => daemon.events('plan:computed').length === 1);
  write({ a: 'online' });
  await until('the call is in flight', () => calls() === 1);
  limitFiles(daemon.child.pid, 0);
  await until('the store has failed', () => daemon.events('store:error').length >= 1);
  limitFiles(daemon.child.pid, 'unlimited');
  await until('it is recorded', () => daemon.events('attempt:finished').length === 1);
  daemon.child.kill('SIGTERM');
  await daemon.finished;
  assert.match((await edict(['apply'], folder)).stdout, /^(?:In sync|No changes)/);
  assert.is(calls(), 1);
});

test('a store in a read-only place is rejected before anything is sent', async () => {
  write({ a: 'online' });
  for (const place of ['/proc/self', '/sys']) {
    const { code, stderr } = await edict(['apply', '--state', `sqlite:${place}/edict/state.db`], folder);
    assert.is(code, 1);
    assert.match(stderr, /^edict: the store .* cannot be /m);
  }
  assert.is(calls(), 0);
});

test('a second process names the process that has the store open, or waits for it', async () => {
  write({ a: 'online' });
  const daemon = startEdict(['run', '--log-format', 'json'], folder);
  await until('it has reconciled', () => daemon.events('reconcile:finished').length === 1);
  const refused = await edict(['apply'], folder);
  assert.is(refused.code, 1);
  assert.match(refused.stderr, new RegExp(`is in use by another edict process \\(pid ${daemon.child.pid}, since \\d{4}-.*Z\\)`));
  assert.match(refused.stderr, 'wait for it with --lock-timeout, or let a daemon apply the file: `edict wait`');
  const impatient = await edict(['apply', '--lock-timeout', '300ms'], folder);
  assert.is(impatient.code, 1);
  const waiting = startEdict(['apply', '--lock-timeout', '20s'], folder);
  await until('it waits', () => waiting.output.stderr.includes('waiting for the store'));
  assert.is(waiting.child.exitCode, null);
  assert.match(waiting.output.stderr, /waiting for the store: the store .* is in use by another edict process \(pid \d+/);
  for (const [command, code] of [
    ['apply', 1],
    ['run', 0],
  ] as const) {
    const stopped = startEdict([command, '--lock-timeout', '20s'], folder);
    await until('it waits', () => stopped.output.stderr.includes('waiting for the store'));
    stopped.child.kill('SIGTERM');
    const stoppedAtMs = performance.now();
    assert.is((await stopped.finished).code, code, command);
    assert.ok(performance.now() < stoppedAtMs + 5000, `${command} waited on after SIGTERM`);
  }
  daemon.child.kill('SIGTERM');
  await daemon.finished;
  const waited = await waiting.finished;
  assert.is(waited.code, 0, waited.stderr);
  assert.match(waited.stdout, /^(?:In sync|No changes)/);
});

test('a truncated write-ahead log is read up to its last complete write', async () => {
  write({ a: 'online', b: 'online', c: 'online' });
  const daemon = startEdict(['run', '--log-format', 'json'], folder);
  await until('it has reconciled', () => daemon.events('reconcile:finished').length === 1);
  daemon.child.kill('SIGKILL');
  await daemon.finished;
  const log = join(folder, '.edict', readdirSync(join(folder, '.edict')).find((name) => name.endsWith('-wal')) ?? 'none');
  truncateSync(log, statSync(log).size - 1000);
  const { code, stdout, stderr } = await edict(['apply'], folder);
  assert.is(code, 0, stdout + stderr);
  assert.match((await edict(['apply'], folder)).stdout, /^(?:In sync|No changes)/);
  assert.equal(
    emulator.state.publications().map(({ onlineCalls }) => onlineCalls),
    [1, 1, 1],
  );
});

test.run();
