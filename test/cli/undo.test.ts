import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { edict, fileOf, scratchFolder } from '../support/edict-process.ts';

const endpoint = 'https://roma.example.com';

test('a word that names no attempt and no apply is the file', async () => {
  const folder = scratchFolder();
  writeFileSync(join(folder, 'my.yaml'), fileOf(endpoint, { orders: 'online' }));
  assert.is((await edict(['apply', 'my.yaml', '--emulate'], folder)).code, 0);
  const { stdout, stderr } = await edict(['undo', 'my.yaml', '--emulate'], folder);
  assert.match(stdout, '- orders  test  undo: it was not online before', stderr);
  assert.match(stdout, /To make it: edict undo [0-9a-f]{8} --apply my\.yaml --emulate/);
  assert.match(stdout, /--- a\/my\.yaml\n\+\+\+ b\/my\.yaml\n/);
  const wrong = await edict(['undo', 'wrong', 'my.yaml', '--emulate'], folder);
  assert.is(wrong.code, 1);
  assert.match(wrong.stderr, 'wrong names no attempt or apply');
});

test('a file elsewhere is changed in its own folder', async () => {
  const [folder, other] = [scratchFolder(), scratchFolder()];
  const file = join(folder, 'edict.yaml');
  writeFileSync(file, fileOf(endpoint, { orders: 'online' }));
  await edict(['apply', file, '--emulate'], other);
  const { stdout } = await edict(['undo', file, '--emulate', '--format', 'json'], other);
  const shown = JSON.parse(stdout) as {
    file: { folder: string; diff: string };
    back: { api: string; to: string }[];
    undo: { kind: string };
  };
  assert.is(shown.file.folder, folder);
  assert.match(shown.file.diff, '+++ b/edict.yaml');
  assert.equal(
    shown.back.map(({ api, to }) => `${api} ${to}`),
    ['orders offline'],
  );
  assert.is(shown.undo.kind, 'apply');
});

test('where nothing was done there is nothing to undo, also as JSON', async () => {
  const folder = scratchFolder();
  writeFileSync(join(folder, 'edict.yaml'), fileOf(endpoint, { orders: 'online' }));
  for (const args of [['undo'], ['undo', '--apply']]) {
    const { stdout, code } = await edict([...args, '--emulate'], folder);
    assert.is(code, 0);
    assert.match(stdout, 'Nothing to undo: edict has changed nothing on this gateway.');
  }
  const { stdout } = await edict(['undo', '--emulate', '--apply', '--format', 'json'], folder);
  assert.equal((JSON.parse(stdout) as { type: string; undo: null }).undo, null);
});

test.run();
