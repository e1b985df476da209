import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { readCommitId } from '../../../src/source/git/git.ts';
import { scratchFolder } from '../../support/edict-process.ts';
import { gitRepository } from '../../support/git-repository.ts';

const env = { PATH: process.env['PATH'] };
const options = { env, onUnsupported: () => {} };

/** Returns files as edict reads them. */
const read = (...paths: readonly string[]) => paths.map((realPath) => ({ realPath, text: readFileSync(realPath, 'utf8') }));

test('the commit is the last one that changed the file, not a later one', async () => {
  const repository = gitRepository();
  const path = join(repository.folder, 'edict.yaml');
  repository.commit('edict.yaml', '1');
  const second = repository.commit('edict.yaml', '2');
  const team = repository.commit('team.yaml', '1');
  assert.is(await readCommitId(read(path), options), second);
  assert.is(await readCommitId(read(path, join(repository.folder, 'team.yaml')), options), team);
});

test('modified, untracked and ignored files have no commit', async () => {
  const repository = gitRepository();
  const path = (name: string): string => join(repository.folder, name);
  repository.commit('edict.yaml', '1');
  repository.commit('.gitignore', 'ignored.yaml');
  for (const name of ['edict.yaml', 'new.yaml', 'ignored.yaml']) {
    writeFileSync(path(name), '3');
    assert.is(await readCommitId(read(path(name)), options), null, name);
  }
  assert.is(await readCommitId(read(path('ignored.yaml'), path('.gitignore')), options), null);
});

test('the commit is that of the text that was read, not of the file as it is now', async () => {
  const repository = gitRepository();
  const path = join(repository.folder, 'edict.yaml');
  const id = repository.commit('edict.yaml', '1\n');
  const before = read(path);
  writeFileSync(path, '2\n');
  assert.is(await readCommitId(before, options), id);
  assert.is(await readCommitId(read(path), options), null);
});

test('a file that is checked out with other line ends has its commit', async () => {
  const repository = gitRepository();
  const id = repository.commit('edict.yaml', 'a\nb\n');
  writeFileSync(join(repository.folder, 'edict.yaml'), 'a\r\nb\r\n');
  assert.is(await readCommitId(read(join(repository.folder, 'edict.yaml')), options), id);
});

test('a checkout with SHA-256 IDs is read, too', async () => {
  const repository = gitRepository();
  repository.git('init', '--quiet', '--object-format=sha256', 'other');
  writeFileSync(join(repository.folder, 'other/edict.yaml'), '1');
  const inOther = (...args: readonly string[]) => repository.git('-C', 'other', ...args);
  inOther('add', '.');
  inOther('-c', 'user.name=a', '-c', 'user.email=a@example.com', 'commit', '--quiet', '--message', 'x');
  const id = await readCommitId(read(join(repository.folder, 'other/edict.yaml')), options);
  assert.is(id, inOther('rev-parse', 'HEAD'));
  assert.is(id?.length, 64);
});

test('files of two checkouts have no common commit', async () => {
  const [one, two] = [gitRepository(), gitRepository()];
  for (const { commit } of [one, two]) commit('edict.yaml', '1');
  assert.is(await readCommitId(read(join(one.folder, 'edict.yaml'), join(two.folder, 'edict.yaml')), options), null);
});

test('without a checkout, Git or enough time, no commit is known', async () => {
  const folder = scratchFolder();
  writeFileSync(join(folder, 'edict.yaml'), '1');
  assert.is(await readCommitId(read(join(folder, 'edict.yaml')), options), null);
  const repository = gitRepository();
  repository.commit('edict.yaml', '1');
  const files = read(join(repository.folder, 'edict.yaml'));
  assert.is(await readCommitId(files, { ...options, env: { PATH: folder } }), null);
  assert.is(await readCommitId(files, { ...options, limitMs: 0 }), null);
  assert.is(await readCommitId([], options), null);
});

test.run();
