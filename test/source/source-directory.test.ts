import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { EdictError } from '../../src/model/errors.ts';
import { SourceDirectory } from '../../src/source/source-directory.ts';
import { scratchFolder } from '../support/edict-process.ts';

test('a folder is replaced by its YAML files, also in a ConfigMap, and each file is listed once', async () => {
  const folder = scratchFolder();
  const path = (name: string): string => join(folder, name);
  mkdirSync(path('..data'));
  writeFileSync(path('..data/b.yaml'), '');
  symlinkSync('..data/b.yaml', path('b.yaml'));
  for (const name of ['a.yml', 'notes.md', '.hidden.yaml']) writeFileSync(path(name), '');
  mkdirSync(path('sub.yaml'));
  assert.equal(
    await new SourceDirectory([folder, path('b.yaml'), path('absent.yaml')]).list(),
    ['a.yml', 'b.yaml', 'absent.yaml'].map(path),
  );
});

/** Returns the error with which listing the files is refused. */
async function refusal(directory: SourceDirectory): Promise<EdictError> {
  return directory.list().then(
    () => assert.unreachable() as never,
    (error: EdictError) => error,
  );
}

test('a folder without YAML files is an error', async () => {
  const folder = scratchFolder();
  const { code, message } = await refusal(new SourceDirectory([folder]));
  assert.is(code, 'FILE_NOT_FOUND');
  assert.match(message, folder);
});

test('a new folder is listed', async () => {
  const folder = join(scratchFolder(), 'gateways');
  const files = new SourceDirectory([folder, 'one.yaml']);
  assert.equal(await files.list(), [folder, 'one.yaml']);
  mkdirSync(folder);
  writeFileSync(join(folder, 'a.yaml'), '');
  assert.equal(await files.list(), [join(folder, 'a.yaml'), 'one.yaml']);
});

/** Every way in which the files of a folder disappear together. */
const losses: Readonly<Record<string, (folder: string) => void>> = {
  'is deleted': (folder) => rmSync(folder, { recursive: true }),
  'is emptied': (folder) => rmSync(join(folder, 'a.yaml')),
  'becomes a file': (folder) => {
    rmSync(folder, { recursive: true });
    writeFileSync(folder, '');
  },
  'becomes a link to itself': (folder) => {
    rmSync(folder, { recursive: true });
    symlinkSync(folder, folder);
  },
};

for (const [how, lose] of Object.entries(losses)) {
  test(`a folder that ${how} keeps its files, and the other folders go on`, async () => {
    const [lost, other] = [join(scratchFolder(), 'lost'), scratchFolder()];
    mkdirSync(lost);
    for (const file of [join(lost, 'a.yaml'), join(other, 'b.yaml')]) writeFileSync(file, '');
    const files = new SourceDirectory([lost, other]);
    assert.equal(await files.list(), [join(lost, 'a.yaml'), join(other, 'b.yaml')]);
    lose(lost);
    writeFileSync(join(other, 'c.yaml'), '');
    assert.equal(await files.list(), [join(lost, 'a.yaml'), join(other, 'b.yaml'), join(other, 'c.yaml')]);
    rmSync(join(other, 'b.yaml'));
    assert.equal(await files.list(), [join(lost, 'a.yaml'), join(other, 'c.yaml')]);
  });
}

test.run();
