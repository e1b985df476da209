import { existsSync, mkdirSync, readFileSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { openCheckout } from '../../../src/source/git/git.ts';
import { scratchFolder } from '../../support/edict-process.ts';
import { gitRepository } from '../../support/git-repository.ts';

const env = { PATH: process.env['PATH'], HW_AUTH_TOKEN: 'secret' };
const signal = new AbortController().signal;
const options = { env, signal, onUnsupported: () => {} };

/** Returns a folder with a Git that runs this script first. */
function scriptedGit(script: string): string {
  const bin = scratchFolder();
  writeFileSync(join(bin, 'git'), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  return bin;
}

test("returns Git's output, and null if it fails", async () => {
  const repository = gitRepository();
  const id = repository.commit('edict.yaml', '1');
  const checkout = await openCheckout(repository.folder, options);
  assert.is((await checkout?.git('rev-parse', 'HEAD'))?.trim(), id);
  assert.is(await checkout?.git('rev-parse', '--verify', 'no-such-commit'), null);
});

test('outside a checkout no Git is started; in a folder of one, a linked one or a worktree it is', async () => {
  const [repository, outside] = [gitRepository(), scratchFolder()];
  const started = join(outside, 'started');
  const bin = scriptedGit(`echo x >> "${started}"\nPATH="${process.env['PATH']}" exec git "$@"`);
  const open = (folder: string) => openCheckout(folder, { ...options, env: { ...env, PATH: bin } });
  for (const folder of [outside, join(outside, 'none')]) assert.is(await open(folder), null);
  assert.not.ok(existsSync(started));

  const id = repository.commit('edict.yaml', '1');
  mkdirSync(join(repository.folder, 'config/teams'), { recursive: true });
  symlinkSync(join(repository.folder, 'config/teams'), join(outside, 'linked'));
  repository.git('worktree', 'add', '--quiet', join(outside, 'worktree'));
  for (const folder of [repository.folder, join(repository.folder, 'config/teams'), join(outside, 'linked'), join(outside, 'worktree')]) {
    assert.is((await (await open(folder))?.git('rev-parse', 'HEAD'))?.trim(), id, folder);
  }
  assert.is(readFileSync(started, 'utf8'), 'x\n'.repeat(8)); // version, rev-parse
});

test('a file has a path in its own checkout only', async () => {
  const repository = gitRepository();
  const folder = realpathSync(repository.folder);
  repository.git('init', '--quiet', 'inner');
  mkdirSync(join(folder, 'config'));
  const checkout = await openCheckout(folder, options);
  assert.is(await checkout?.pathOf(join(folder, 'config/edict.yaml')), 'config/edict.yaml');
  assert.is(await checkout?.pathOf(join(folder, 'inner/edict.yaml')), null);
  assert.is(await checkout?.pathOf(join(scratchFolder(), 'edict.yaml')), null);
});

test('a Git without safe.bareRepository is not used, and its version is reported', async () => {
  const repository = gitRepository();
  for (const [output, reported] of [
    ['git version 2.37.9', ['2.37.9']],
    ['git version 1.8.3.1', ['1.8.3.1']],
    ['something else', ['something else']],
    ['git version 2.38.0', []],
    ['git version 2.39.5 (Apple Git-154)', []],
    ['git version 3.0.0', []],
  ] as const) {
    const versions: string[] = [];
    const PATH = scriptedGit(`echo '${output}'`);
    const checkout = await openCheckout(repository.folder, { env: { PATH }, signal, onUnsupported: (version) => versions.push(version) });
    assert.equal(versions, reported);
    assert.is(checkout === null, reported.length > 0, output);
  }
});

test('Git gets its own program and no setting or secret from the variables', async () => {
  const repository = gitRepository();
  const bin = join(realpathSync(repository.folder), 'bin');
  mkdirSync(bin);
  const spy = scriptedGit('env | sort > "$(dirname "$0")/env"; echo git version 2.38.0');
  const given = { ...env, GIT_DIR: bin, GIT_CONFIG_COUNT: '0', GIT_TRACE: '/tmp/trace', LD_PRELOAD: 'x', HOME: '/home/x' };
  const PATH = [bin, '.', '', 'relative', realpathSync(repository.folder), spy, '/usr/bin', '/bin', '/nowhere'].join(delimiter);
  await openCheckout(repository.folder, { ...options, env: { ...given, PATH } });
  const seen = readFileSync(join(spy, 'env'), 'utf8').trim().split('\n');
  assert.ok(seen.includes(`PATH=${spy}:/usr/bin:/bin`), seen.join('\n'));
  assert.equal(
    seen.map((line) => line.split('=')[0]).filter((name) => name !== 'PWD' && name !== '_' && name !== 'SHLVL'),
    [
      'GIT_ALLOW_PROTOCOL',
      'GIT_ATTR_NOSYSTEM',
      'GIT_CONFIG_GLOBAL',
      'GIT_CONFIG_NOSYSTEM',
      'GIT_NO_LAZY_FETCH',
      'GIT_TERMINAL_PROMPT',
      'HOME',
      'LC_ALL',
      'PATH',
    ],
  );
});

test.run();
