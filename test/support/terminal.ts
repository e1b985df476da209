import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { quoteForShell } from '../../src/render/command-line.ts';
import { inheritedEnv, secretToken } from './edict-process.ts';

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

/** An `edict` on a pseudo-terminal of its own. */
export interface OnTerminal {
  /** Everything on the screen so far: stdout and stderr are one there. */
  readonly screen: () => string;
  /** Types text, such as `y\r` or the control character of Ctrl-C. */
  readonly type: (text: string) => void;
  /** Resolves to the exit code. */
  readonly finished: Promise<number | null>;
}

const started = new Set<ChildProcess>();

/** Ends every `edict` that is still running on a terminal: for the end of a test. */
export function closeTerminals(): void {
  for (const child of started) child.kill('SIGKILL');
}

/** Starts `edict ARGS` in `cwd` on a pseudo-terminal, which `script` of util-linux (or BSD) opens. */
export function startOnTerminal(
  args: readonly string[],
  cwd: string,
  env: Readonly<Record<string, string>> = { HW_AUTH_TOKEN: secretToken },
): OnTerminal {
  const words = [process.execPath, main, ...args];
  const script = process.platform === 'darwin' ? ['-q', '/dev/null', ...words] : ['-qefc', words.map(quoteForShell).join(' '), '/dev/null'];
  const child = spawn('script', script, { cwd, env: { ...inheritedEnv, SHELL: '/bin/sh', TERM: 'xterm', EDICT_LISTEN: 'off', ...env } });
  started.add(child);
  child.on('close', () => started.delete(child));
  let screen = '';
  child.stdout.on('data', (chunk: Buffer) => {
    screen += chunk;
  });
  return {
    screen: () => screen,
    type: (text) => void child.stdin.write(text),
    finished: once(child, 'close').then(([code]) => code as number | null),
  };
}
