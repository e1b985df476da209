import { runCli } from '../../src/cli/program.ts';
import { type Finished, secretToken } from './edict-process.ts';
import { testContext } from './streams.ts';

/** How many commands are running in this process, all of them in one folder. */
let running = 0;

/**
 * Runs `edict ARGS` in this process as if in `cwd`, with no environment variables but the token and `env`: a process would cost as much
 * as dozens of commands. Rejects while a command runs in another folder.
 */
export async function edict(
  args: readonly string[],
  cwd: string,
  env: Readonly<Record<string, string>> = { HW_AUTH_TOKEN: secretToken },
): Promise<Finished> {
  if (running > 0 && process.cwd() !== cwd) throw new Error(`a command is still running in ${process.cwd()}`);
  const before = process.cwd();
  process.chdir(cwd);
  running += 1;
  try {
    const { context, stdout, stderr } = testContext({ PATH: process.env['PATH'] ?? '', NO_COLOR: '1', EDICT_LISTEN: 'off', ...env });
    const writeLog = (bytes: Buffer): number => {
      context.stderr.write(bytes);
      return bytes.length;
    };
    const code = await runCli(args, { ...context, writeLog });
    return { code, stdout: stdout(), stderr: stderr() };
  } finally {
    running -= 1;
    if (running === 0) process.chdir(before);
  }
}
