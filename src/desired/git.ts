import { execFile } from 'node:child_process';

/** The most output of one answer, in bytes; that of 100,000 lines is less. */
const maxOutputBytes = 64 * 1024 * 1024;

export type Env = Readonly<Record<string, string | undefined>>;

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
