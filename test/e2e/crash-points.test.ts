import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { runCli } from '../../src/cli/program.ts';
import { startEmulator } from '../../src/emulator/emulator.ts';
import { crashAtWrite } from '../support/crashing-command.ts';
import { fileOf, scratchFolder, secretToken, seedOf, startEdict } from '../support/edict-process.ts';
import { isFullRun } from '../support/fast-check.ts';
import { testContext } from '../support/streams.ts';

const crashing = `--import=${new URL('../support/crash-at-write.ts', import.meta.url).href}`;

/** More writes than an apply makes. */
const manyPoints = 80;
const atOnce = 6;

/** Only the full run stops the command at every write, the others at every second one. `test/simulation/` has processes killed at random writes. */
const step = isFullRun ? 1 : 2;

/** At these writes a process is killed. At all others the command stops for good in this process, which costs a fraction. */
const kills = [2, 18, 24];

async function apply(folder: string): Promise<{ readonly code: number; readonly stdout: string }> {
  const { context, stdout } = testContext({ HW_AUTH_TOKEN: secretToken });
  const state = `sqlite:${join(folder, '.edict/state.db')}`;
  const code = await runCli(['apply', join(folder, 'edict.yaml'), '--state', state, '--log-level', 'silent'], context);
  return { code, stdout: stdout() };
}

/** Runs `apply` until its write number `write`. Returns whether it reached it. */
async function crash(write: number, folder: string): Promise<boolean> {
  if (!kills.includes(write)) return crashAtWrite(write, () => apply(folder));
  const env = { HW_AUTH_TOKEN: secretToken, EDICT_CRASH_AT: String(write), NODE_OPTIONS: crashing };
  return (await startEdict(['apply'], folder, env).finished).code === null;
}

/** Runs `apply` until its write number `write`, then once more to its end. Returns whether the first one crashed. */
async function crashedAt(write: number, folder: string): Promise<boolean> {
  const hasCrashed = await crash(write, folder);
  const again = await apply(folder);
  assert.is(again.code, 0, `after a crash at write ${write}: ${again.stdout}`);
  assert.match((await apply(folder)).stdout, /^(?:In sync|No changes)/, `after a crash at write ${write}`);
  return hasCrashed;
}

/** Calls `crash` with every number of a write from 2 on, by `step`, until nothing crashed. Returns how many did. */
async function atEachWrite(crash: (write: number) => Promise<boolean>): Promise<number> {
  let next = 2;
  let crashes = 0;
  const work = async (): Promise<void> => {
    while (next < manyPoints) {
      const write = next;
      next += step;
      if (!(await crash(write))) return;
      crashes += 1;
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  return crashes;
}

test('an apply that is stopped before any of its writes loses no change and repeats none', async () => {
  const crashes = await atEachWrite(async (write) => {
    const emulator = await startEmulator({ seed: seedOf('a', 'b', 'c') });
    const folder = scratchFolder();
    writeFileSync(join(folder, 'edict.yaml'), fileOf(emulator.url, { a: 'online', b: 'online', c: 'online' }));
    const hasCrashed = await crashedAt(write, folder);
    const versions = emulator.state.publications().map(({ api, effective, onlineCalls }) => [api, effective !== null, onlineCalls]);
    assert.equal(
      versions.toSorted(),
      ['a', 'b', 'c'].map((name) => [`api-${name}`, true, 1]),
      `after a crash at write ${write}`,
    );
    await emulator.close();
    return hasCrashed;
  });
  assert.ok(crashes > 15 / step, `${crashes} crashes`);
});

test('so does one that takes an API offline', async () => {
  const crashes = await atEachWrite(async (write) => {
    const emulator = await startEmulator({ seed: seedOf('a') });
    const folder = scratchFolder();
    const file = join(folder, 'edict.yaml');
    writeFileSync(file, fileOf(emulator.url, { a: 'online' }));
    await apply(folder);
    writeFileSync(file, fileOf(emulator.url, { a: 'offline' }));
    const hasCrashed = await crashedAt(write, folder);
    const [publication] = emulator.state.publications();
    assert.equal([publication?.effective, publication?.onlineCalls], [null, 1], `after a crash at write ${write}`);
    await emulator.close();
    return hasCrashed;
  });
  assert.ok(crashes > 8 / step, `${crashes} crashes`);
});

// A command that was stopped in the middle never goes on, and the timers that it waits for keep the process alive.
test.after(() => void setTimeout(() => process.exit(), 1000));

test.run();
