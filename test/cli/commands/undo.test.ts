import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { runCli } from '../../../src/cli/program.ts';
import { fileOf, scratchFolder } from '../../support/edict-process.ts';
import { testContext } from '../../support/streams.ts';

const endpoint = 'https://roma.example.com';

/** Runs a command in this process, in `folder`. */
async function edict(
  args: readonly string[],
  folder: string,
): Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }> {
  process.chdir(folder);
  const { context, stdout, stderr } = testContext();
  const code = await runCli(args, context);
  return { code, stdout: stdout(), stderr: stderr() };
}

test('a single argument that is not an attempt or an apply is the file', async () => {
  const folder = scratchFolder();
  writeFileSync(join(folder, 'my.yaml'), fileOf(endpoint, { orders: 'online' }));
  assert.is((await edict(['apply', 'my.yaml', '--emulate'], folder)).code, 0);
  const { stdout, stderr } = await edict(['undo', 'my.yaml', '--emulate'], folder);
  assert.match(stdout, 'Restores 1 publication:\n  orders  test  offline\n', stderr);
  assert.match(stdout, 'Nothing was changed. Change the file, then run edict apply my.yaml --emulate, or let a daemon make the calls.');
  assert.match(stdout, /--- a\/my\.yaml\n\+\+\+ b\/my\.yaml\n/);
  const wrong = await edict(['undo', 'wrong', 'my.yaml', '--emulate'], folder);
  assert.is(wrong.code, 1);
  assert.match(wrong.stderr, 'wrong is not an attempt or an apply');
});

test('the patch for a file in another folder applies there', async () => {
  const [folder, other] = [scratchFolder(), scratchFolder()];
  const file = join(folder, 'edict.yaml');
  writeFileSync(file, fileOf(endpoint, { orders: 'online' }));
  await edict(['apply', file, '--emulate'], other);
  const { stdout } = await edict(['undo', file, '--emulate', '--format', 'json'], other);
  const shown = JSON.parse(stdout) as {
    file: { folder: string; diff: string };
    restorations: { api: string; state: string }[];
    target: { kind: string };
  };
  assert.is(shown.file.folder, folder);
  assert.match(shown.file.diff, '+++ b/edict.yaml');
  assert.equal(
    shown.restorations.map(({ api, state }) => `${api} ${state}`),
    ['orders offline'],
  );
  assert.is(shown.target.kind, 'apply');
});

test('without attempts there is nothing to undo, also in JSON', async () => {
  const folder = scratchFolder();
  writeFileSync(join(folder, 'edict.yaml'), fileOf(endpoint, { orders: 'online' }));
  const asText = await edict(['undo', '--emulate'], folder);
  assert.is(asText.code, 0);
  assert.match(asText.stdout, 'Nothing to undo: edict has changed nothing on this gateway.');
  const { stdout } = await edict(['undo', '--emulate', '--format', 'json'], folder);
  assert.equal((JSON.parse(stdout) as { target: null }).target, null);
});

test.run();
