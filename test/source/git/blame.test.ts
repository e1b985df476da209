import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Env } from '../../../src/model/env.ts';
import { blame, parsePorcelain } from '../../../src/source/git/blame.ts';
import { SourceFolder } from '../../../src/source/source-folder.ts';
import { scratchFolder, until } from '../../support/edict-process.ts';
import { gitRepository } from '../../support/git-repository.ts';

const env = { PATH: process.env['PATH'] };
const authoredAtMs = Date.UTC(2026, 10, 20, 9, 30);

/** Returns the commits of these lines of a file. */
async function commitsOf(file: string, lines: readonly number[], given: Env = env, limitMs?: number, allowed: readonly string[] = []) {
  const sources = lines.map((line) => ({ file, line, column: 1 }));
  const commits = await blame(sources, {
    folder: await SourceFolder.open(file, [dirname(file), ...allowed]),
    env: given,
    onUnsupported: () => {},
    ...(limitMs && { limitMs }),
  });
  return sources.map(commits);
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** Returns how many times Git was run, by a wrapper that counts and then runs the real one. */
function countingGit(): { readonly env: typeof env; count(): number } {
  const folder = scratchFolder();
  const log = join(folder, 'log');
  writeFileSync(join(folder, 'git'), `#!/bin/sh\necho "$@" >> "$(dirname "$0")/log"\nPATH="\${PATH#*:}" exec git "$@"\n`, { mode: 0o755 });
  return {
    env: { ...env, PATH: `${folder}:${env.PATH}` },
    count: () => readFileSync(log, 'utf8').trimEnd().split('\n').length,
  };
}

test('each line has the commit that wrote it, or is marked as uncommitted', async () => {
  const { folder, commit } = gitRepository();
  const first = commit('edict.yaml', 'a\nb\nc\n', 'Ada');
  const second = commit('edict.yaml', 'a\nB\nc\n', 'Bob');
  const file = join(folder, 'edict.yaml');
  writeFileSync(file, 'a\nB\nC\n');
  assert.equal(await commitsOf(file, [1, 2, 3]), [
    { kind: 'committed', id: first, author: 'Ada', atMs: authoredAtMs },
    { kind: 'committed', id: second, author: 'Bob', atMs: authoredAtMs },
    { kind: 'uncommitted' },
  ]);
});

test('a line keeps its commit below a line that was added and not committed', async () => {
  const { folder, commit } = gitRepository();
  const first = commit('edict.yaml', 'a\nb\n', 'Ada');
  const second = commit('edict.yaml', 'a\nb\na\n', 'Bob');
  const file = join(folder, 'edict.yaml');
  writeFileSync(file, 'new\r\na\r\nb\r\na\r\n');
  const commits = await commitsOf(file, [1, 2, 3, 4]);
  assert.equal(
    commits.map((one) => (one?.kind === 'committed' ? one.id : one?.kind)),
    ['uncommitted', first, first, second],
  );
});

test('the committed mailmap names the author', async () => {
  const { folder, commit } = gitRepository();
  commit('.mailmap', 'Ada Lovelace <a@example.com>\n');
  commit('edict.yaml', 'a\n');
  const [line] = await commitsOf(join(folder, 'edict.yaml'), [1]);
  assert.is(line?.kind === 'committed' && line.author, 'Ada Lovelace');
});

test('lines of the first commit of a complete history have that commit', async () => {
  const { folder, commit } = gitRepository();
  const id = commit('edict.yaml', 'a\n');
  assert.equal(await commitsOf(join(folder, 'edict.yaml'), [1]), [{ kind: 'committed', id, author: 'Ada', atMs: authoredAtMs }]);
});

test('in a shallow clone, lines from before its start have no commit', async () => {
  const origin = gitRepository();
  origin.commit('edict.yaml', 'a\nb\n');
  origin.commit('edict.yaml', 'a\nB\n', 'Bob');
  const newest = origin.commit('edict.yaml', 'a\nB\nc\n', 'Cid');
  const { folder } = gitRepository(['--depth', '2', pathToFileURL(origin.folder).href]);
  const [older, edge, known] = await commitsOf(join(folder, 'edict.yaml'), [1, 2, 3]);
  assert.equal([older, edge], [null, null]);
  assert.equal(known, { kind: 'committed', id: newest, author: 'Cid', atMs: authoredAtMs });
});

test('an author may have any name', async () => {
  const { folder, commit } = gitRepository();
  const name = 'Ādä\u001b[31m @everyone |`';
  commit('edict.yaml', 'a\n', name);
  const [line] = await commitsOf(join(folder, 'edict.yaml'), [1]);
  assert.is(line?.kind === 'committed' && line.author, name);
});

test('a file name is never parsed as an option or a pattern', async () => {
  const { folder, commit } = gitRepository();
  for (const name of ['--help', '-L1,1', ':(glob)*.yaml', 'é ü.yaml']) {
    const id = commit(`./${name}`, 'a\n');
    const [line] = await commitsOf(join(folder, name), [1]);
    assert.is(line?.kind === 'committed' && line.id, id, name);
  }
});

test('the target of a symbolic link is blamed', async () => {
  const { folder, commit } = gitRepository();
  const id = commit('edict.yaml', 'a\n');
  const elsewhere = join(scratchFolder(), 'link.yaml');
  symlinkSync(join(folder, 'edict.yaml'), elsewhere);
  const [line] = await commitsOf(elsewhere, [1], env, undefined, [folder]);
  assert.is(line?.kind === 'committed' && line.id, id);
});

test('nothing is known, and nothing fails, where Git knows nothing', async () => {
  const { folder, commit } = gitRepository();
  commit('edict.yaml', 'a\n');
  const file = join(folder, 'edict.yaml');
  const outside = join(scratchFolder(), 'edict.yaml');
  writeFileSync(outside, 'a\n');
  writeFileSync(join(folder, 'new.yaml'), 'a\n');
  assert.equal(await commitsOf(outside, [1]), [null], 'no repository');
  assert.equal(await commitsOf(join(folder, 'new.yaml'), [1]), [null], 'not under version control');
  assert.equal(await commitsOf(join(folder, 'none.yaml'), [1]), [null], 'no file');
  assert.equal(await commitsOf(file, [99]), [null], 'no such line');
  assert.equal(await commitsOf(file, [1], { ...env, PATH: scratchFolder() }), [null], 'no Git');
  assert.equal(await commitsOf(file, []), [], 'nothing asked');
});

test('a few Git processes per file are enough for any number of lines', async () => {
  const { folder, commit } = gitRepository();
  commit('first.yaml', 'a\n');
  const text = Array.from({ length: 1000 }, (_, index) => `${index}\n`).join('');
  commit('edict.yaml', text);
  commit('edict.yaml', text.replaceAll('\n', ';\n'), 'Bob');
  const { env: counted, count } = countingGit();
  const odd = Array.from({ length: 500 }, (_, index) => 2 * index + 1);
  const commits = await commitsOf(join(folder, 'edict.yaml'), [7, 7, ...odd], counted);
  assert.ok(commits.every((one) => one?.kind === 'committed' && one.author === 'Bob'));
  assert.is(count(), 3); // version, rev-parse, blame
});

test('a Git process that takes too long is killed, and no commit is returned', async () => {
  const { folder, commit } = gitRepository();
  commit('edict.yaml', 'a\n');
  const slow = scratchFolder();
  writeFileSync(join(slow, 'git'), `#!/bin/sh\necho $$ > "$(dirname "$0")/pid"\nexec sleep 600\n`, { mode: 0o755 });
  const given = { ...env, PATH: `${slow}:${env.PATH}` };
  assert.equal(await commitsOf(join(folder, 'edict.yaml'), [1], given, 500), [null]);
  const pid = Number(readFileSync(join(slow, 'pid'), 'utf8'));
  await until('the slow Git is gone', () => !isAlive(pid));
});

test('Git gets no secret and no other repository, and never prompts', async () => {
  const { folder, commit } = gitRepository();
  commit('edict.yaml', 'a\n');
  const spy = scratchFolder();
  writeFileSync(join(spy, 'git'), `#!/bin/sh\nenv >> "$(dirname "$0")/env"\necho git version 2.38.0\n`, { mode: 0o755 });
  mkdirSync(join(spy, 'elsewhere'));
  const given = { PATH: `${spy}:${env.PATH}`, HW_SECRET_KEY: 'secret', GIT_DIR: join(spy, 'elsewhere'), HOME: spy };
  await commitsOf(join(folder, 'edict.yaml'), [1], given);
  const seen = readFileSync(join(spy, 'env'), 'utf8');
  assert.not.match(seen, 'secret');
  assert.not.match(seen, 'GIT_DIR');
  assert.match(seen, `HOME=${spy}`);
  assert.match(seen, 'GIT_TERMINAL_PROMPT=0');
});

const id = 'a'.repeat(40);

test('a commit that is described once counts for all its lines, and no line of the file is parsed as a header', () => {
  const rest = ['author Ada', 'author-time 7', 'boundary', 'filename edict.yaml'];
  const text = [`${id} 1 1 2`, ...rest, `\t${id} 9 9 1`, `${id} 2 2`, '\tauthor Eve', ''].join('\n');
  const commit = { kind: 'committed', id, author: 'Ada', atMs: 7000 } as const;
  assert.equal(parsePorcelain(text), [
    { line: 1, isBoundary: true, commit },
    { line: 2, isBoundary: true, commit },
  ]);
});

test('an impossible commit time does not break the plan', () => {
  const timeOf = (time: string): number | null => {
    const commit = parsePorcelain(`${id} 1 1 1\nauthor A\nauthor-time ${time}\n\ta\n`)[0]?.commit;
    return commit?.kind === 'committed' ? new Date(commit.atMs).getTime() : null;
  };
  assert.equal(['99999999999999999999', 'never', '0'].map(timeOf), [8.64e15, 0, 0]);
});

test.run();
