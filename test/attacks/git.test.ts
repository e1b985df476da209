/*
 * Git never runs what a checkout says.
 *
 * The author of a pull request controls every file below the checkout except `.git`; another user of the machine may own a `.git` above the
 * file. Each payload below makes Git run a program if it is asked about the file in the usual way. No command of edict may run it, and no
 * command may fail because of it: a commit is shown beside a change, or it is not.
 */
import { copyFileSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Canary, canary } from '../support/canary.ts';
import { edict } from '../support/edict-command.ts';
import { scratchFolder, startEdict, terminate, until } from '../support/edict-process.ts';
import { type GitRepository, gitRepository } from '../support/git-repository.ts';
import { importsOf, sourceFiles } from '../support/source-files.ts';

const test = suite('attacks on Git');

const file =
  'edict: 1\ngateway: { endpoint: "https://roma.example.com", project: p, instance: i }\nenvironments: { test: env-test }\napis:\n  a: { id: api-a, environments: { test: online } }\n';

/** What a payload may use, and the variables that it adds to those of edict. */
interface Target {
  readonly repository: GitRepository;
  readonly payload: Canary;
}

interface Attack {
  readonly actor: string;
  readonly title: string;
  /** Prepares the attack. Returns the path of the edict file, and the variables of the process. */
  prepare(target: Target): { readonly path: string; readonly env?: Readonly<Record<string, string>> };
}

function write(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

/** Every setting by which Git runs a program. */
function hostileConfig(program: string): string {
  return [
    '[core]',
    `  fsmonitor = ${program}`,
    `  hooksPath = ${dirname(program)}`,
    `  pager = ${program}`,
    `  sshCommand = ${program}`,
    `  askPass = ${program}`,
    '[filter "x"]',
    `  clean = ${program}`,
    `  smudge = ${program}`,
    '[diff "x"]',
    `  textconv = ${program}`,
    `  command = ${program}`,
    '[diff]',
    `  external = ${program}`,
    '[log]',
    '  showSignature = true',
    '[gpg]',
    `  program = ${program}`,
    '[pager]',
    ...['blame', 'log', 'status', 'rev-list'].map((command) => `  ${command} = ${program}`),
    '[alias]',
    ...['blame', 'log', 'status', 'rev-list'].map((command) => `  ${command} = !${program}`),
    '',
  ].join('\n');
}

/** Makes a folder look like a bare repository whose work tree is itself. */
function lookLikeRepository(folder: string, { repository, payload }: Target): void {
  const head = repository.git('rev-parse', 'HEAD');
  write(join(folder, 'HEAD'), `${head}\n`);
  write(join(folder, 'config'), `[core]\n  repositoryformatversion = 0\n  worktree = .\n${hostileConfig(payload.program)}`);
  write(join(folder, 'refs/heads/x'), `${head}\n`);
  write(join(folder, 'objects/info/alternates'), `${join(repository.folder, '.git/objects')}\n`);
  write(join(folder, '.gitattributes'), '* filter=x diff=x\n');
  copyFileSync(join(repository.folder, '.git/index'), join(folder, 'index'));
}

const attacks: readonly Attack[] = [
  {
    actor: 'author',
    title: 'a folder that looks like a bare repository with settings that run programs',
    prepare: (target) => {
      const folder = join(target.repository.folder, 'config');
      write(join(folder, 'edict.yaml'), file);
      lookLikeRepository(folder, target);
      return { path: join(folder, 'edict.yaml') };
    },
  },
  {
    actor: 'author',
    title: 'such a folder above the file',
    prepare: (target) => {
      const folder = join(target.repository.folder, 'config');
      write(join(folder, 'teams/edict.yaml'), file);
      lookLikeRepository(folder, target);
      return { path: join(folder, 'teams/edict.yaml') };
    },
  },
  {
    actor: 'author',
    title: 'such a folder in an archive that is no checkout',
    prepare: (target) => {
      const folder = scratchFolder();
      write(join(folder, 'edict.yaml'), file);
      lookLikeRepository(folder, target);
      return { path: join(folder, 'edict.yaml') };
    },
  },
  {
    actor: 'author',
    title: '.gitattributes that name a filter and a textconv of the repository’s own settings',
    prepare: ({ repository, payload }) => {
      const path = join(repository.folder, 'edict.yaml');
      repository.commit('edict.yaml', file);
      repository.git('config', 'filter.lfs.clean', payload.program);
      repository.git('config', 'diff.pdf.textconv', payload.program);
      write(join(repository.folder, '.gitattributes'), '* filter=lfs diff=pdf\n');
      write(path, file.replaceAll('api-a', 'api-c'));
      return { path };
    },
  },
  {
    actor: 'author',
    title: 'a program named git in a folder of the checkout that is in PATH',
    prepare: ({ repository, payload }) => {
      const bin = join(repository.folder, 'node_modules/.bin');
      mkdirSync(bin, { recursive: true });
      write(join(bin, 'git'), `#!/bin/sh\nexec '${payload.program}'\n`);
      repository.git('update-index', '--add', '--chmod=+x', 'node_modules/.bin/git');
      repository.git('checkout', '--quiet', '--force', '--', 'node_modules/.bin/git');
      repository.commit('edict.yaml', file);
      return { path: join(repository.folder, 'edict.yaml'), env: { PATH: `${bin}:${process.env['PATH']}` } };
    },
  },
  {
    actor: 'author',
    title: 'such a folder that is in PATH by way of a link, as where the working directory is one',
    prepare: ({ repository, payload }) => {
      const link = join(scratchFolder(), 'workspace');
      symlinkSync(repository.folder, link);
      mkdirSync(join(repository.folder, 'bin'));
      writeFileSync(join(repository.folder, 'bin/git'), `#!/bin/sh\nexec '${payload.program}'\n`, { mode: 0o755 });
      repository.commit('edict.yaml', file);
      return { path: join(repository.folder, 'edict.yaml'), env: { PATH: `${link}/bin:${process.env['PATH']}` } };
    },
  },
  {
    actor: 'author',
    title: 'such a folder of the checkout around the one with the file, as around a submodule',
    prepare: ({ repository, payload }) => {
      const bin = join(repository.folder, 'node_modules/.bin');
      mkdirSync(bin, { recursive: true });
      writeFileSync(join(bin, 'git'), `#!/bin/sh\nexec '${payload.program}'\n`, { mode: 0o755 });
      repository.git('init', '--quiet', 'inner');
      const path = join(repository.folder, 'inner/edict.yaml');
      write(path, file);
      repository.git('-C', 'inner', 'add', 'edict.yaml');
      repository.git('-C', 'inner', 'commit', '--quiet', '--message', 'inner');
      return { path, env: { PATH: `${bin}:${process.env['PATH']}` } };
    },
  },
  {
    actor: 'author',
    title: 'a program named git beside the file, and a relative PATH',
    prepare: ({ repository, payload }) => {
      write(join(repository.folder, 'git'), `#!/bin/sh\nexec '${payload.program}'\n`);
      repository.git('update-index', '--add', '--chmod=+x', 'git');
      repository.git('checkout', '--quiet', '--force', '--', 'git');
      repository.commit('edict.yaml', file);
      return { path: join(repository.folder, 'edict.yaml'), env: { PATH: `.::${process.env['PATH']}` } };
    },
  },
  {
    actor: 'another user of the machine',
    title: 'a .git above the file whose settings run programs',
    prepare: ({ repository, payload }) => {
      repository.commit('edict.yaml', file);
      write(join(repository.folder, '.git/config'), `[core]\n  repositoryformatversion = 0\n${hostileConfig(payload.program)}`);
      write(join(repository.folder, '.git/info/attributes'), '* filter=x diff=x\n');
      write(join(repository.folder, 'edict.yaml'), file.replaceAll('api-a', 'api-c'));
      return { path: join(repository.folder, 'edict.yaml') };
    },
  },
  {
    actor: 'a CI job that passes on variables of the pull request',
    title: 'Git settings in the environment',
    prepare: ({ repository, payload }) => {
      repository.commit('edict.yaml', file);
      write(join(repository.folder, 'edict.yaml'), file.replaceAll('api-a', 'api-c'));
      write(join(repository.folder, 'settings'), hostileConfig(payload.program));
      const settings = { 'core.fsmonitor': payload.program, 'core.attributesFile': join(repository.folder, 'attributes') };
      write(join(repository.folder, 'attributes'), '* filter=x diff=x\n');
      const count = Object.entries(settings).map(([key, value], index) => [
        [`GIT_CONFIG_KEY_${index}`, key],
        [`GIT_CONFIG_VALUE_${index}`, value],
      ]);
      const env = {
        ...Object.fromEntries(count.flat()),
        GIT_CONFIG_COUNT: String(count.length),
        GIT_CONFIG_GLOBAL: join(repository.folder, 'settings'),
        GIT_CONFIG_SYSTEM: join(repository.folder, 'settings'),
        GIT_EXTERNAL_DIFF: payload.program,
        GIT_PAGER: payload.program,
        GIT_EXEC_PATH: dirname(payload.program),
      };
      return { path: join(repository.folder, 'edict.yaml'), env };
    },
  },
];

/** Commands that ask Git about the file. */
const commands: readonly (readonly [string, ...string[]])[] = [
  ['plan', '--emulate', '--format', 'json'],
  ['plan', '--emulate', '--blame'],
  ['apply', '--emulate'],
];

for (const { actor, title, prepare } of attacks) {
  test(`${actor}: ${title}`, async () => {
    const repository = gitRepository();
    repository.commit('edict.yaml', file.replaceAll('api-a', 'api-b'));
    const payload = canary(join(scratchFolder(), 'git'));
    const { path, env = {} } = prepare({ repository, payload });
    for (const [command, ...options] of commands) {
      const state = `sqlite:${join(scratchFolder(), 'state.db')}`;
      const { code, stderr } = await edict([command, path, ...options, '--state', state], dirname(path), {
        HW_AUTH_TOKEN: 'secret',
        ...env,
      });
      assert.is(code, 0, `${command}: ${stderr}`);
      assert.not.ok(payload.wasRun(), command);
    }
  });
}

test('author: the daemon does not run it either', async () => {
  const [attack] = attacks;
  assert.ok(attack);
  const repository = gitRepository();
  repository.commit('edict.yaml', file.replaceAll('api-a', 'api-b'));
  const payload = canary();
  const { path } = attack.prepare({ repository, payload });
  const state = `sqlite:${join(scratchFolder(), 'state.db')}`;
  const daemon = startEdict(['run', path, '--emulate', '--state', state, '--log-format', 'json'], dirname(path));
  await until('it has reconciled', () => daemon.events('reconcile:finished').length > 0, [daemon]);
  await terminate(daemon);
  assert.not.ok(payload.wasRun());
});

test('one file of edict starts processes, and only Git', () => {
  const starting = sourceFiles('src').filter((file) => importsOf(file).some((name) => name === 'node:child_process'));
  assert.equal(
    starting.map(({ path }) => path),
    ['src/source/git/git.ts'],
  );
});

test('anyone: a Git that never ends, or never stops to write, costs no more than its limits', async () => {
  const repository = gitRepository();
  repository.commit('edict.yaml', file);
  const path = join(repository.folder, 'edict.yaml');
  for (const endless of ['exec sleep 600', 'exec yes']) {
    const bin = scratchFolder();
    writeFileSync(join(bin, 'git'), `#!/bin/sh\n${endless}\n`, { mode: 0o755 });
    const startedAt = performance.now();
    const { code, stderr } = await edict(['apply', path, '--emulate', '--state', `sqlite:${join(bin, 'state.db')}`], bin, {
      PATH: `${bin}:${process.env['PATH']}`,
    });
    assert.is(code, 0, stderr);
    assert.ok(performance.now() - startedAt < 20_000);
  }
});

test.run();
