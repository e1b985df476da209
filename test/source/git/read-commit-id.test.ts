import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { readCommitId } from '../../../src/source/git/git.ts';
import { scratchFolder } from '../../support/edict-process.ts';
import { gitRepository } from '../../support/git-repository.ts';

const env = { PATH: process.env['PATH'], GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1' };

test('the commit is the last one that changed the file, not a later one', async () => {
  const repository = gitRepository();
  const path = join(repository.folder, 'edict.yaml');
  repository.commit('edict.yaml', '1');
  const second = repository.commit('edict.yaml', '2');
  const team = repository.commit('team.yaml', '1');
  assert.is(await readCommitId([path], env), second);
  assert.is(await readCommitId([path, join(repository.folder, 'team.yaml')], env), team);
});

test('modified, untracked and ignored files have no commit', async () => {
  const repository = gitRepository();
  const path = (name: string): string => join(repository.folder, name);
  repository.commit('edict.yaml', '1');
  repository.commit('.gitignore', 'ignored.yaml');
  for (const name of ['edict.yaml', 'new.yaml', 'ignored.yaml']) {
    writeFileSync(path(name), '3');
    assert.is(await readCommitId([path(name)], env), null, name);
  }
  assert.is(await readCommitId([path('ignored.yaml'), path('.gitignore')], env), null);
});

test('without a checkout, Git or enough time, no commit is known', async () => {
  const folder = scratchFolder();
  writeFileSync(join(folder, 'edict.yaml'), '1');
  assert.is(await readCommitId([join(folder, 'edict.yaml')], env), null);
  const repository = gitRepository();
  repository.commit('edict.yaml', '1');
  const path = join(repository.folder, 'edict.yaml');
  assert.is(await readCommitId([path], { ...env, PATH: folder }), null);
  assert.is(await readCommitId([path], env, 0), null);
  assert.is(await readCommitId([], env), null);
});

test.run();
