import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { edict } from '../support/edict-command.ts';
import { fileOf, scratchFolder } from '../support/edict-process.ts';
import { gitRepository } from '../support/git-repository.ts';
import { planDocument } from '../support/json-schemas.ts';
import { readMarkdown } from '../support/read-markdown.ts';

const names = ['orders', 'carts', 'users'];
const file = (...some: readonly string[]): string =>
  fileOf('https://roma.example.com', Object.fromEntries(some.map((name) => [name, 'online'])));
const env = { GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1' };

interface PlanLike {
  readonly changes: readonly { readonly api: string; readonly source: { readonly commit: Readonly<Record<string, unknown>> | null } }[];
}

test('each change names the commit of its line, in every format', async () => {
  const { folder, commit } = gitRepository();
  const first = commit('edict.yaml', file('orders'), 'Ada @ops |');
  const second = commit('edict.yaml', file('orders', 'carts'), 'Bob');
  writeFileSync(join(folder, 'edict.yaml'), file(...names));
  const plan = async (...args: readonly string[]) => (await edict(['plan', '--emulate', '--blame', ...args], folder, env)).stdout;

  const { changes } = planDocument<PlanLike>(await plan('--format', 'json'));
  assert.equal(
    changes.map(({ api, source }) => [api, source.commit]),
    [
      ['carts', { id: second, author: 'Bob', at: '2026-11-20T09:30:00Z' }],
      ['orders', { id: first, author: 'Ada @ops |', at: '2026-11-20T09:30:00Z' }],
      ['users', { id: null, author: null, at: null }],
    ],
  );
  const text = await plan();
  assert.match(text, `edict.yaml:6  ${first.slice(0, 10)} Ada @ops | 2026-11-20\n`);
  assert.match(text, 'not committed yet');
  const { open } = readMarkdown(await plan('--format', 'markdown'));
  assert.equal(
    open.map((cells) => cells.at(-1)),
    [`${second.slice(0, 10)} Bob 2026-11-20`, `${first.slice(0, 10)} Ada @\u200bops | 2026-11-20`, 'not committed yet'],
  );
});

test('the author is shown in text only with --blame, not if it is refused, nor without a checkout', async () => {
  const { folder, commit } = gitRepository();
  commit('edict.yaml', file('orders'));
  const commitsIn = (stdout: string) => planDocument<PlanLike>(stdout).changes.map(({ source }) => source.commit);
  assert.equal(commitsIn((await edict(['plan', '--emulate', '--format', 'json', '--no-blame'], folder, env)).stdout), [null]);
  assert.is(commitsIn((await edict(['plan', '--emulate', '--format', 'json'], folder, env)).stdout)[0] === null, false);
  assert.not.match((await edict(['plan', '--emulate'], folder, env)).stdout, 'Ada');
  const alone = scratchFolder();
  writeFileSync(join(alone, 'edict.yaml'), file('orders'));
  const isolated = { ...env, GIT_CEILING_DIRECTORIES: join(alone, '..') };
  const { code, stdout, stderr } = await edict(['plan', '--emulate', '--blame', '--format', 'json'], alone, isolated);
  assert.equal([code, stderr, commitsIn(stdout)], [0, '', [null]]);
});

test.run();
