import { execFileSync } from 'node:child_process';
import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Emulator, startEmulator } from '../../src/emulator/emulator.ts';
import { startLoggedDaemon } from '../support/daemon.ts';
import { fileOf, scratchFolder, secretToken, seedOf, startEdict, until } from '../support/edict-process.ts';

let emulator: Emulator;
let folder: string;

test.before.each(async () => {
  emulator = await startEmulator({ seed: seedOf('a', 'b') });
  folder = scratchFolder();
});
test.after.each(() => emulator.close());

const online = (): number => emulator.state.publications().filter(({ effective }) => effective).length;

/** Everything that can stand at a path and cannot be read. */
const obstacles: Readonly<Record<string, (path: string) => void>> = {
  'a pipe': (path) => execFileSync('mkfifo', [path]),
  'a device': (path) => symlinkSync('/dev/zero', path),
  'a link to itself': (path) => symlinkSync(path, path),
  'a directory': (path) => mkdirSync(path),
};

/** Starts a daemon beside an obstacle. A read of a pipe could keep a process from ending, so that one beside a pipe is a process, which must end. */
async function startBeside(what: string, env = { HW_AUTH_TOKEN: secretToken } as Readonly<Record<string, string>>) {
  if (what !== 'a pipe') return startLoggedDaemon(folder, { debounceMs: 20, resyncMs: 300, env });
  const args = ['run', '--debounce', '20ms', '--resync', '300ms', '--log-format', 'json', '--state', 'sqlite:state.db'];
  const { child, events, finished } = startEdict(args, folder, env);
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM');
    assert.is((await finished).code, 0);
  };
  return { events, stop };
}

for (const [what, put] of Object.entries(obstacles)) {
  test(`while the file is ${what} the last one stays in force, and it is read again afterwards`, async () => {
    const file = join(folder, 'edict.yaml');
    writeFileSync(file, fileOf(emulator.url, { a: 'online' }));
    const daemon = await startBeside(what);
    await until('a is online', () => online() === 1);
    rmSync(file);
    put(file);
    await until('the file is unreadable', () =>
      daemon.events('file:unreadable').some(({ reason }) => /cannot be read/.test(String(reason))),
    );
    assert.is(online(), 1);
    writeFileSync(`${file}.new`, fileOf(emulator.url, { a: 'online', b: 'online' }));
    rmSync(file, { recursive: true });
    renameSync(`${file}.new`, file);
    await until('b is online', () => online() === 2);
    rmSync(file);
    put(file);
    await daemon.stop();
  });

  // A directory is a folder of files, which must have some at the start.
  if (what !== 'a directory')
    test(`a daemon starts, and stops, while the file is ${what}`, async () => {
      const file = join(folder, 'edict.yaml');
      put(file);
      const daemon = await startBeside(what);
      await until('the file is unreadable', () => daemon.events('file:unreadable').length > 0);
      await daemon.stop();
    });

  test(`while the token file is ${what} the last token stays in force`, async () => {
    const [file, token] = [join(folder, 'edict.yaml'), join(folder, 'token')];
    writeFileSync(file, fileOf(emulator.url, { a: 'online' }));
    writeFileSync(token, secretToken);
    const daemon = await startBeside(what, { HW_AUTH_TOKEN_FILE: token });
    await until('a is online', () => online() === 1);
    rmSync(token);
    put(token);
    writeFileSync(file, fileOf(emulator.url, { a: 'online', b: 'online' }));
    await until('b is online', () => online() === 2);
    await daemon.stop();
  });
}

test('a read that hangs does not keep a command from ending', async () => {
  const [pipe, hang] = [join(folder, 'pipe'), join(folder, 'hang.mjs')];
  execFileSync('mkfifo', [pipe]);
  // As on a mount that does not answer: the thread that opens the pipe never comes back.
  writeFileSync(hang, `import { readFile } from 'node:fs/promises'; void readFile(${JSON.stringify(pipe)});`);
  writeFileSync(join(folder, 'edict.yaml'), fileOf(emulator.url, { a: 'online' }));
  const env = { HW_AUTH_TOKEN: secretToken, NODE_OPTIONS: `--import=${pathToFileURL(hang)}` };
  const { stdout } = await startEdict(['validate'], folder, env).finished;
  assert.match(stdout, 'edict.yaml');
  const daemon = startEdict(['run', '--log-format', 'json'], folder, env);
  await until('a is online', () => online() === 1);
  daemon.child.kill('SIGTERM');
  await daemon.finished;
  assert.is(daemon.events('daemon:stopped').length, 1);
});

test.run();
