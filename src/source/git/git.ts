/*
 * The git folder asks the `git` command who last changed a line and which commit is checked out. It must never need Git: without it, the
 * answers are missing. It must never pass secrets to the child process or use the network.
 */

import { execFile } from 'node:child_process';
import { access, realpath } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Env } from '../../model/env.ts';

/** Maximum output of one command, in bytes; blame output of 100,000 lines is smaller. */
const maxOutputBytes = 64 * 1024 * 1024;

/** Resolves to Git's output; `null` if it fails, for whatever reason. */
export type Git = (...args: readonly string[]) => Promise<string | null>;

/**
 * Returns a function that runs Git in a folder. Aborting `signal` kills it. It uses no network, and gets no secret from the
 * environment variables. Outside a checkout no Git is started: every load of a file from a ConfigMap would cost two processes.
 */
export function createGit(cwd: string, env: Env, signal: AbortSignal): Git {
  const options = { cwd, env: gitEnv(env), signal, maxBuffer: maxOutputBytes, killSignal: 'SIGKILL', windowsHide: true } as const;
  return async (...args) => {
    if (!(await isInCheckout(cwd))) return null;
    return new Promise((resolve) => {
      execFile('git', ['-c', 'core.fsmonitor=false', ...args], options, (error, stdout) => resolve(error ? null : stdout));
    });
  };
}

/** Returns whether the folder or one above it has a `.git`, by which Git finds a checkout. */
async function isInCheckout(cwd: string): Promise<boolean> {
  let folder = await realpath(cwd).catch(() => null);
  while (folder !== null) {
    const isTop = await access(join(folder, '.git')).then(
      () => true,
      () => false,
    );
    if (isTop) return true;
    folder = dirname(folder) === folder ? null : dirname(folder);
  }
  return false;
}

/** Passes only the variables by which Git finds itself and its settings: no secret, and no repository other than the file's. */
function gitEnv(env: Env): Record<string, string> {
  const passed = Object.entries(env).filter(([name, value]) => value !== undefined && passedVariables.test(name)) as [string, string][];
  const fixedVariables = {
    GIT_TERMINAL_PROMPT: '0',
    GIT_OPTIONAL_LOCKS: '0',
    GIT_NO_LAZY_FETCH: '1',
    GIT_ALLOW_PROTOCOL: 'none',
    GIT_LITERAL_PATHSPECS: '1',
    LC_ALL: 'C',
  };
  return { ...Object.fromEntries(passed), ...fixedVariables };
}

const passedVariables = /^(PATH|HOME|XDG_CONFIG_HOME|TMPDIR|USERPROFILE|SYSTEMROOT|GIT_CONFIG_\w+|GIT_CEILING_DIRECTORIES)$/i;

/** Timeout for reading the commit, in milliseconds: the change matters more than the commit shown beside it. */
const commitTimeoutMs = 2000;

/**
 * Returns the commit that last changed one of `files`, absolute paths in one checkout; `null` if one of them has uncommitted
 * changes, or Git does not answer in time. Writes nothing and uses no network.
 */
export async function readCommitId(files: readonly string[], env: Env, limitMs: number = commitTimeoutMs): Promise<string | null> {
  const [first] = files;
  if (first === undefined) return null;
  const git = createGit(dirname(first), env, AbortSignal.timeout(limitMs));
  const [changed, id] = await Promise.all([
    git('status', '--porcelain', '--ignored', '--', ...files),
    git('log', '-1', '--format=%H', '--', ...files),
  ]);
  const commit = id?.trim() ?? '';
  return changed === '' && commit !== '' ? commit : null;
}
