import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { expandPattern } from '../../src/source/include-pattern.ts';
import { SourceFolder } from '../../src/source/source-folder.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const test = suite('include pattern');
const folder = temporaryFolder();
for (const name of ['a.yaml', 'apis/b.yaml', 'apis/c.yml', 'apis/deep/d.yaml', 'apis/.hidden.yaml', 'apis/..data/e.yaml', '[x].yaml']) {
  mkdirSync(dirname(join(folder, name)), { recursive: true });
  writeFileSync(join(folder, name), '');
}
symlinkSync('..', join(folder, 'apis/loop'));

async function expanded(pattern: string) {
  const { files, directories, problem } = await expandPattern(await SourceFolder.open(join(folder, 'edict.yaml'), []), pattern);
  return {
    files: files.map((path) => relative(folder, path)).sort(),
    directories: directories.map((path) => relative(folder, path)),
    problem,
  };
}

const cases: readonly [string, readonly string[], readonly string[]][] = [
  ['a.yaml', ['a.yaml'], []],
  ['apis/*.yaml', ['apis/b.yaml'], ['apis']],
  ['apis/*.{yaml,yml}', ['apis/b.yaml', 'apis/c.yml'], ['apis']],
  ['apis/deep/*', ['apis/deep/d.yaml'], ['apis/deep']],
  ['apis/.*.yaml', ['apis/.hidden.yaml'], ['apis']],
  ['[x].yaml', ['[x].yaml'], []],
  ['nothing/*.yaml', [], ['nothing']],
  ['./apis/../a.yaml', ['a.yaml'], []],
];
for (const [pattern, files, directories] of cases) {
  test(`${pattern} matches ${files.join(', ') || 'nothing'}`, async () => {
    const found = await expanded(pattern);
    assert.equal([found.files, found.directories, found.problem], [files, directories, null]);
  });
}

test('two stars match all folders, and do not follow a link in a loop', async () => {
  const { files, problem } = await expanded('apis/**/*.yaml');
  assert.is(problem, null);
  assert.ok(files.includes('apis/b.yaml') && files.includes('apis/deep/d.yaml'));
  assert.ok(files.length < 20);
});

test('a path that is not a file is an error that says why', async () => {
  assert.match((await expanded('nowhere.yaml')).problem?.message ?? '', '"nowhere.yaml" does not exist');
  assert.match((await expanded('apis')).problem?.message ?? '', '"apis" is a directory');
  assert.match((await expanded('/dev/null')).problem?.message ?? '', "leads out of this file's folder");
  execFileSync('mkfifo', [join(folder, 'pipe.yaml')]);
  assert.match((await expanded('pipe.yaml')).problem?.message ?? '', 'is not a regular file');
  writeFileSync(join(folder, 'README.md'), '');
  assert.match((await expanded('README.md')).problem?.message ?? '', 'is not a YAML file');
});

test.run();
