import { mkdirSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { repositoryPath } from '../../../src/cli/output/repository-path.ts';
import { scratchFolder } from '../../support/edict-process.ts';

test('a path counts from the root of the checkout, wherever it is named from', () => {
  const root = scratchFolder();
  mkdirSync(join(root, '.git'));
  mkdirSync(join(root, 'apis/shop'), { recursive: true });
  const file = join(root, 'apis/shop/edict.yaml');
  assert.is(repositoryPath(file), 'apis/shop/edict.yaml');
  assert.is(repositoryPath(relative('', file)), 'apis/shop/edict.yaml');
});

test('in a worktree, where .git is a file, it is the same', () => {
  const root = scratchFolder();
  writeFileSync(join(root, '.git'), 'gitdir: elsewhere\n');
  assert.is(repositoryPath(join(root, 'edict.yaml')), 'edict.yaml');
});

test('a file outside of any checkout and of the working directory has none', () => {
  assert.is(repositoryPath(join(scratchFolder(), 'edict.yaml')), null);
});

test.run();
