import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createGit } from '../../../src/source/git/git.ts';
import { gitRepository } from '../../support/git-repository.ts';

const environment = { PATH: process.env['PATH'], GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1', HW_AUTH_TOKEN: 'secret' };
const always = new AbortController().signal;

test("returns Git's output, and null if it fails", async () => {
  const repository = gitRepository();
  const id = repository.commit('edict.yaml', '1');
  const git = createGit(repository.folder, environment, always);
  assert.is((await git('rev-parse', 'HEAD'))?.trim(), id);
  assert.is(await git('rev-parse', 'no-such-commit'), null);
});

test('Git gets no secret', async () => {
  const git = createGit(gitRepository().folder, environment, always);
  assert.not.match((await git('-c', 'alias.env=!env', 'env')) ?? 'HW_', 'HW_');
});

test.run();
