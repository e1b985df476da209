import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { findTracked } from '../../../src/source/git/tracked.ts';
import { scratchFolder } from '../../support/edict-process.ts';
import { gitRepository } from '../../support/git-repository.ts';

const env = { PATH: process.env['PATH'] };

test('a file is tracked once it is added, in a repository without a commit too', async () => {
  const { folder, git } = gitRepository();
  const path = join(folder, 'a [1]*.db');
  writeFileSync(path, '1');
  assert.equal(await findTracked([path], env), { kind: 'none' });
  git('add', '.');
  assert.equal(await findTracked([path], env), { kind: 'tracked', path });
});

test('a file keeps being tracked until a commit removes it', async () => {
  const { folder, git, commit } = gitRepository();
  const path = join(folder, 'state.db');
  commit('state.db', '1');
  git('rm', '--quiet', '--cached', 'state.db');
  assert.equal(await findTracked([path], env), { kind: 'tracked', path });
  git('commit', '--quiet', '--message', 'x');
  assert.equal(await findTracked([path], env), { kind: 'none' });
});

test('a name matches only itself, in any case: the file system may ignore it', async () => {
  const { folder, commit } = gitRepository();
  mkdirSync(join(folder, '.EDICT'));
  commit('.EDICT/State.db', '1');
  for (const name of ['.edict/state.db', '.EDICT/State.db', '.EDICT/other.db', '*.db', ':x']) {
    mkdirSync(join(folder, name, '..'), { recursive: true });
    writeFileSync(join(folder, name), '1');
  }
  const kindOf = async (name: string): Promise<string> => (await findTracked([join(folder, name)], env)).kind;
  assert.equal(await Promise.all(['.edict/state.db', '.EDICT/State.db'].map(kindOf)), ['tracked', 'tracked']);
  assert.equal(await Promise.all(['.EDICT/other.db', '*.db', ':x'].map(kindOf)), ['none', 'none', 'none']);
});

test('a link is tracked as such, and a file in the checkout that it leads to', async () => {
  const { folder, git, commit } = gitRepository();
  commit('state.db', '1');
  const [link, outside] = [join(folder, 'link'), join(scratchFolder(), 'linked')];
  symlinkSync('/nowhere', link);
  git('add', '.');
  symlinkSync(folder, outside);
  assert.equal(await findTracked([link], env), { kind: 'tracked', path: link });
  assert.is((await findTracked([join(outside, 'state.db')], env)).kind, 'tracked');
});

test('outside a checkout nothing is tracked, with or without Git; inside one, nobody knows without Git', async () => {
  const { folder, commit } = gitRepository();
  commit('state.db', '1');
  const outside = join(scratchFolder(), 'state.db');
  writeFileSync(outside, '1');
  const none = { PATH: scratchFolder() };
  assert.equal(await findTracked([outside], none), { kind: 'none' });
  assert.equal(await findTracked([join(folder, 'state.db')], none), { kind: 'unknown' });
  assert.equal(await findTracked([], none), { kind: 'none' });
});

test.run();
