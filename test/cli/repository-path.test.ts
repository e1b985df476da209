import { mkdirSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { repositoryPath } from '../../src/cli/repository-path.ts';
import { scratchFolder } from '../support/edict-process.ts';

test('a path is relative to the root of the checkout, whatever the working directory', () => {
  const root = scratchFolder();
  mkdirSync(join(root, '.git'));
  mkdirSync(join(root, 'apis/shop'), { recursive: true });
  const file = join(root, 'apis/shop/edict.yaml');
  assert.is(repositoryPath(file), 'apis/shop/edict.yaml');
  assert.is(repositoryPath(relative('', file)), 'apis/shop/edict.yaml');
});

test('a worktree, where .git is a file, is a checkout', () => {
  const root = scratchFolder();
  writeFileSync(join(root, '.git'), 'gitdir: elsewhere\n');
  assert.is(repositoryPath(join(root, 'edict.yaml')), 'edict.yaml');
});

test('a file outside any checkout and the working directory has no path', () => {
  assert.is(repositoryPath(join(scratchFolder(), 'edict.yaml')), null);
});

test.run();
