import { execFile } from 'node:child_process';
import { dirname } from 'node:path';
import type { Env } from '../../model/env.ts';

/** The most output of one answer, in bytes; that of 100,000 lines is less. */
const maxOutputBytes = 64 * 1024 * 1024;

/** Resolves to what Git writes; `null` if it fails, for whatever reason. */
export type Git = (...args: readonly string[]) => Promise<string | null>;

/** Returns Git in a folder, which is ended with `signal`. It reaches for no network, and gets no secret of `environment`. */
export function createGit(cwd: string, environment: Env, signal: AbortSignal): Git {
  const options = { cwd, env: gitEnv(environment), signal, maxBuffer: maxOutputBytes, killSignal: 'SIGKILL', windowsHide: true } as const;
  return (...args) =>
    new Promise((settle) => {
      execFile('git', ['-c', 'core.fsmonitor=false', ...args], options, (error, stdout) => settle(error ? null : stdout));
    });
}

/** Git needs to know where it and its settings are. It gets no secret, and no repository but that of the file. */
function gitEnv(environment: Env): Record<string, string> {
  const passed = Object.entries(environment).filter(([name, value]) => value !== undefined && passedVariables.test(name)) as [
    string,
    string,
  ][];
  const calm = {
    GIT_TERMINAL_PROMPT: '0',
    GIT_OPTIONAL_LOCKS: '0',
    GIT_NO_LAZY_FETCH: '1',
    GIT_ALLOW_PROTOCOL: 'none',
    GIT_LITERAL_PATHSPECS: '1',
    LC_ALL: 'C',
  };
  return { ...Object.fromEntries(passed), ...calm };
}

const passedVariables = /^(PATH|HOME|XDG_CONFIG_HOME|TMPDIR|USERPROFILE|SYSTEMROOT|GIT_CONFIG_\w+|GIT_CEILING_DIRECTORIES)$/i;

/** How long Git may take, in milliseconds: what is to be done is worth more than the name beside it. */
const commitTimeoutMs = 2000;

/**
 * Returns the commit that has last changed one of `files`, absolute paths of one checkout; `null` if one of them is not as it
 * was committed, or if Git does not know in time. Writes nothing and reaches for no network.
 */
export async function readCommitId(files: readonly string[], environment: Env, limitMs: number = commitTimeoutMs): Promise<string | null> {
  const [first] = files;
  if (first === undefined) return null;
  const git = createGit(dirname(first), environment, AbortSignal.timeout(limitMs));
  const [changed, id] = await Promise.all([
    git('status', '--porcelain', '--ignored', '--', ...files),
    git('log', '-1', '--format=%H', '--', ...files),
  ]);
  const commit = id?.trim() ?? '';
  return changed === '' && commit !== '' ? commit : null;
}
