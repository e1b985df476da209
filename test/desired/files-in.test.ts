import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { EdictError } from '../../src/core/errors.ts';
import { FilesIn } from '../../src/desired/files-in.ts';
import { scratchFolder } from '../support/edict-process.ts';

test('a folder stands for its YAML files, as a ConfigMap has them too, and each file is named once', () => {
  const folder = scratchFolder();
  const path = (name: string): string => join(folder, name);
  mkdirSync(path('..data'));
  writeFileSync(path('..data/b.yaml'), '');
  symlinkSync('..data/b.yaml', path('b.yaml'));
  for (const name of ['a.yml', 'notes.md', '.hidden.yaml']) writeFileSync(path(name), '');
  mkdirSync(path('sub.yaml'));
  assert.equal(new FilesIn([folder, path('b.yaml'), path('absent.yaml')]).look(), ['a.yml', 'b.yaml', 'absent.yaml'].map(path));
});

test('a folder without one is refused', () => {
  const folder = scratchFolder();
  assert.throws(
    () => new FilesIn([folder]).look(),
    (error: EdictError) => error.code === 'FILE_ABSENT' && error.message.includes(folder),
  );
});

test('a folder that has gone is refused and not taken for a file, and one that comes is looked into', () => {
  const folder = join(scratchFolder(), 'gateways');
  const files = new FilesIn([folder, 'one.yaml']);
  assert.equal(files.look(), [folder, 'one.yaml']);
  mkdirSync(folder);
  writeFileSync(join(folder, 'a.yaml'), '');
  assert.equal(files.look(), [join(folder, 'a.yaml'), 'one.yaml']);
  rmSync(folder, { recursive: true });
  assert.throws(
    () => files.look(),
    (error: EdictError) => error.code === 'FILE_ABSENT' && error.message.includes(folder),
  );
});

test.run();
