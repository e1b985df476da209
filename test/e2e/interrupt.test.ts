import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Emulator, startEmulator } from '../../src/emulator/emulator.ts';
import { edict } from '../support/edict-command.ts';
import { fileOf, scratchFolder, seedOf, startEdict, until } from '../support/edict-process.ts';
import { recordEmptyGatewayIn } from '../support/observed-gateway.ts';

let emulator: Emulator;
let folder: string;

test.before.each(async () => {
  emulator = await startEmulator({ seed: seedOf('a') });
  folder = scratchFolder();
  writeFileSync(join(folder, 'edict.yaml'), `${fileOf(emulator.url, { a: 'online' })}refresh: never\n`);
  await recordEmptyGatewayIn(folder, emulator.url);
  emulator.faults.latencyMs = 2000;
});
test.after.each(() => emulator.close());

const calls = (): number => emulator.requests.all().filter(({ operation }) => operation === 'changePublication').length;

for (const command of ['apply', 'run'] as const) {
  test(`the first Ctrl-C of ${command} says at once what it waits for, and the call in flight is recorded`, async () => {
    const running = startEdict([command, '--log-format', 'json'], folder);
    await until('the call is in flight', () => calls() === 1);
    running.child.kill('SIGINT');
    await until('it says so', () => running.events('stop:requested').length === 1);
    assert.is(running.events('attempt:finished').length, 0);
    const { signal, inFlight, atMostMs } = running.events('stop:requested')[0] ?? {};
    assert.equal([signal, inFlight, Number(atMostMs) >= 1000], ['SIGINT', 1, true]);
    await running.finished;
    assert.is(running.events('attempt:finished').length, 1);
    emulator.faults.latencyMs = 0;
    assert.match((await edict(['apply'], folder)).stdout, /^(?:In sync|No changes)/);
    assert.is(calls(), 1);
  });

  test(`the second Ctrl-C of ${command} ends it`, async () => {
    emulator.faults.latencyMs = 60_000;
    const running = startEdict([command, '--log-format', 'pretty'], folder);
    await until('the call is in flight', () => calls() === 1);
    running.child.kill('SIGINT');
    await until('it says so', () => running.output.stderr.includes('waiting for 1 call in flight'));
    assert.match(running.output.stderr, /stopping: SIGINT, waiting for 1 call in flight, \d+ s at most; interrupt again to end at once/);
    await sleep(1100);
    running.child.kill('SIGINT');
    assert.is((await running.finished).code, null);
  });
}

test('an apply that Ctrl-C has interrupted after its call was recorded exits with 130', async () => {
  const running = startEdict(['apply', '--log-format', 'json'], folder);
  await until('the call is in flight', () => calls() === 1);
  running.child.kill('SIGINT');
  assert.is((await running.finished).code, 130);
});

test('an apply that SIGTERM has interrupted exits with 1', async () => {
  const running = startEdict(['apply', '--log-format', 'json'], folder);
  await until('the call is in flight', () => calls() === 1);
  running.child.kill('SIGTERM');
  assert.is((await running.finished).code, 1);
});

for (const [name, args] of [
  ['plan', ['plan', '--refresh']],
  ['import', ['import', '--project', 'project', '--instance', 'instance']],
  ['explain', ['explain', 'a', 'test', '--refresh']],
  ['apply', ['apply', '--refresh', '--log-format', 'pretty']],
] as const) {
  test(`Ctrl-C ends a ${name} that reads the gateway at once, and it exits with 130`, async () => {
    emulator.faults.latencyMs = 60_000;
    const running = startEdict([...args, ...(name === 'import' ? ['--endpoint', emulator.url] : [])], folder);
    await until('the gateway is read', () => emulator.requests.all().length > 0, [running]);
    running.child.kill('SIGINT');
    const { code, stderr } = await running.finished;
    assert.is(code, 130, stderr);
    assert.match(stderr, /stopping: SIGINT.*; interrupt again to end at once/i);
    assert.match(stderr, /stopped before .*; nothing was (?:sent|changed)/);
    assert.is(calls(), 0);
  });
}

test('Ctrl-C ends a wait, and it exits with 130', async () => {
  const daemon = startEdict(['run', '--log-format', 'json'], folder);
  await until('the call is in flight', () => calls() === 1);
  emulator.faults.latencyMs = 60_000;
  const waiting = startEdict(['wait'], folder);
  await until('it waits', () => waiting.output.stderr.includes('Waiting'), [waiting]);
  waiting.child.kill('SIGINT');
  assert.is((await waiting.finished).code, 130);
  daemon.child.kill('SIGTERM');
  await daemon.finished;
});

test.run();
