import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { scratchFolder } from './edict-process.ts';

/** A Git checkout in a folder of its own, independent of the Git settings of this machine. */
export interface GitRepository {
  readonly folder: string;
  git(...args: readonly string[]): string;
  /** Writes a file and commits it. Returns the commit's ID. */
  commit(name: string, text: string, author?: string): string;
}

/** Returns a new repository, or a checkout of another one that `git clone` makes with these arguments. */
export function gitRepository(cloned?: readonly string[]): GitRepository {
  const folder = scratchFolder();
  const as = (author: string) => ({
    PATH: process.env['PATH'],
    ...{ GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1', HOME: folder },
    ...{ GIT_AUTHOR_NAME: author, GIT_AUTHOR_EMAIL: 'a@example.com', GIT_AUTHOR_DATE: '2026-11-20T09:30:00Z' },
    ...{ GIT_COMMITTER_NAME: 'Committer', GIT_COMMITTER_EMAIL: 'c@example.com', GIT_COMMITTER_DATE: '2026-11-21T09:30:00Z' },
  });
  const run = (author: string, args: readonly string[]): string =>
    execFileSync('git', args, { cwd: folder, env: as(author), encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  if (cloned) run('Nobody', ['clone', '--quiet', ...cloned, '.']);
  else run('Nobody', ['init', '--quiet']);
  return {
    folder,
    git: (...args) => run('Nobody', args),
    commit: (name, text, author = 'Ada') => {
      writeFileSync(join(folder, name), text);
      run(author, ['add', '--', name]);
      run(author, ['commit', '--quiet', '--message', `changes ${name}`]);
      return run(author, ['rev-parse', 'HEAD']);
    },
  };
}
