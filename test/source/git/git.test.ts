import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createGit } from '../../../src/source/git/git.ts';
import { scratchFolder } from '../../support/edict-process.ts';
import { gitRepository } from '../../support/git-repository.ts';

const env = { PATH: process.env['PATH'], GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1', HW_AUTH_TOKEN: 'secret' };
const always = new AbortController().signal;

test("returns Git's output, and null if it fails", async () => {
  const repository = gitRepository();
  const id = repository.commit('edict.yaml', '1');
  const git = createGit(repository.folder, env, always);
  assert.is((await git('rev-parse', 'HEAD'))?.trim(), id);
  assert.is(await git('rev-parse', 'no-such-commit'), null);
});

test('outside a checkout no Git is started; in a folder of one, a linked one or a worktree it is', async () => {
  const [repository, bin, outside] = [gitRepository(), scratchFolder(), scratchFolder()];
  const started = join(bin, 'started');
  writeFileSync(join(bin, 'git'), `#!/bin/sh\necho x >> "${started}"\nPATH="${process.env['PATH']}" exec git "$@"\n`, { mode: 0o755 });
  const inFolder = (folder: string) => createGit(folder, { ...env, PATH: bin }, always)('rev-parse', 'HEAD');
  for (const folder of [outside, join(outside, 'none')]) assert.is(await inFolder(folder), null);
  assert.not.ok(existsSync(started));

  const id = repository.commit('edict.yaml', '1');
  mkdirSync(join(repository.folder, 'config/teams'), { recursive: true });
  symlinkSync(join(repository.folder, 'config/teams'), join(outside, 'linked'));
  repository.git('worktree', 'add', '--quiet', join(outside, 'worktree'));
  for (const folder of [repository.folder, join(repository.folder, 'config/teams'), join(outside, 'linked'), join(outside, 'worktree')]) {
    assert.is((await inFolder(folder))?.trim(), id, folder);
  }
  assert.is(readFileSync(started, 'utf8'), 'x\n'.repeat(4));
});

test('Git gets no secret', async () => {
  const git = createGit(gitRepository().folder, env, always);
  assert.not.match((await git('-c', 'alias.env=!env', 'env')) ?? 'HW_', 'HW_');
});

test.run();
