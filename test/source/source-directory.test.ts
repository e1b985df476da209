import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { EdictError } from '../../src/model/errors.ts';
import { SourceDirectory } from '../../src/source/source-directory.ts';
import { scratchFolder } from '../support/edict-process.ts';

test('a folder is replaced by its YAML files, also in a ConfigMap, and each file is listed once', () => {
  const folder = scratchFolder();
  const path = (name: string): string => join(folder, name);
  mkdirSync(path('..data'));
  writeFileSync(path('..data/b.yaml'), '');
  symlinkSync('..data/b.yaml', path('b.yaml'));
  for (const name of ['a.yml', 'notes.md', '.hidden.yaml']) writeFileSync(path(name), '');
  mkdirSync(path('sub.yaml'));
  assert.equal(new SourceDirectory([folder, path('b.yaml'), path('absent.yaml')]).list(), ['a.yml', 'b.yaml', 'absent.yaml'].map(path));
});

test('a folder without YAML files is an error', () => {
  const folder = scratchFolder();
  assert.throws(
    () => new SourceDirectory([folder]).list(),
    (error: EdictError) => error.code === 'FILE_NOT_FOUND' && error.message.includes(folder),
  );
});

test('a deleted folder is an error and not taken for a file, and a new folder is listed', () => {
  const folder = join(scratchFolder(), 'gateways');
  const files = new SourceDirectory([folder, 'one.yaml']);
  assert.equal(files.list(), [folder, 'one.yaml']);
  mkdirSync(folder);
  writeFileSync(join(folder, 'a.yaml'), '');
  assert.equal(files.list(), [join(folder, 'a.yaml'), 'one.yaml']);
  rmSync(folder, { recursive: true });
  assert.throws(
    () => files.list(),
    (error: EdictError) => error.code === 'FILE_NOT_FOUND' && error.message.includes(folder),
  );
});

test.run();
