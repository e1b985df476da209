import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Emulator, startEmulator } from '../../src/emulator/emulator.ts';
import { edict } from '../support/edict-command.ts';
import { fileOf, inheritedEnv, scratchFolder, secretToken, seedOf, until } from '../support/edict-process.ts';

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const names = Array.from({ length: 40 }, (_, index) => `api${index}`);

let emulator: Emulator;
let folder: string;

test.before.each(async () => {
  emulator = await startEmulator({ seed: seedOf(...names) });
  folder = scratchFolder();
});
test.after.each(() => emulator.close());

const write = (state: string): void =>
  writeFileSync(join(folder, 'edict.yaml'), fileOf(emulator.url, Object.fromEntries(names.map((name) => [name, state]))));
const online = (): number => emulator.state.publications().filter(({ effective }) => effective).length;
const calls = (): number => emulator.requests.all().filter(({ operation }) => operation === 'changePublication').length;

/** Starts edict with its output where `stdout` and `stderr` lead. */
function start(args: readonly string[], stdout: 'ignore' | 'pipe' | number, stderr: 'ignore' | 'pipe' | number): ChildProcess {
  return spawn(process.execPath, [main, ...args], {
    cwd: folder,
    stdio: ['ignore', stdout, stderr],
    env: { ...inheritedEnv, EDICT_LISTEN: 'off', HW_AUTH_TOKEN: secretToken },
  });
}

test('a daemon continues while nothing reads its log, and stops on SIGTERM', async () => {
  write('offline');
  // Nothing reads the pipe.
  const daemon = start(['run', '--debounce', '20ms', '--log-level', 'debug', '--log-format', 'json'], 'ignore', 'pipe');
  for (let round = 0; round < 10; round += 1) {
    const [state, count] = round % 2 === 0 ? (['online', names.length] as const) : (['offline', 0] as const);
    write(state);
    await until(`${count} are online in round ${round}`, () => online() === count);
  }
  daemon.kill('SIGTERM');
  const [code] = await once(daemon, 'exit');
  assert.is(code, 0);
});

for (const [how, log] of [
  ['a full disk', () => openSync('/dev/full', 'w')],
  ['a pipe that is closed', () => 'pipe' as const],
] as const) {
  test(`a daemon whose log is on ${how} continues`, async () => {
    write('online');
    const daemon = start(['run', '--debounce', '20ms', '--log-format', 'json'], 'ignore', log());
    daemon.stderr?.destroy();
    await until('all are online', () => online() === names.length);
    write('offline');
    await until('none is online', () => online() === 0);
    daemon.kill('SIGTERM');
    assert.is((await once(daemon, 'exit'))[0], 0);
  });

  for (const stream of ['stdout', 'stderr'] as const) {
    test(`apply with its ${stream} on ${how} makes and records every change`, async () => {
      write('online');
      const args = ['apply', '--format', 'json', '--log-level', 'debug', '--log-format', 'json'];
      const apply = start(args, stream === 'stdout' ? log() : 'ignore', stream === 'stderr' ? log() : 'ignore');
      apply[stream]?.destroy();
      const [code] = await once(apply, 'exit');
      assert.is(online(), names.length);
      assert.is(code, stream === 'stdout' && how === 'a full disk' ? 1 : 0);
      assert.match((await edict(['apply'], folder)).stdout, /^(?:In sync|No changes)/);
      assert.is(calls(), names.length);
    });
  }
}

test('the error of a result that cannot be written is one sentence', async () => {
  write('online');
  const plan = start(['plan'], openSync('/dev/full', 'w'), 'pipe');
  let stderr = '';
  plan.stderr?.on('data', (chunk: Buffer) => {
    stderr += chunk;
  });
  const [code] = await once(plan, 'close');
  assert.is(code, 1);
  assert.match(stderr, /^edict: the result cannot be written: ENOSPC.*\n/m);
  assert.not.match(stderr, /^ +at /m);
});

test.run();
