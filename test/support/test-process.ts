import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { stripVTControlCharacters } from 'node:util';

export interface FileResult {
  readonly passed: number;
  readonly failed: number;
  /** Why the file counts as failed; `null` if it passed. */
  readonly why: string | null;
  readonly seconds: number;
  /** Everything that the file wrote to stdout and stderr. */
  readonly output: string;
}

export interface RunOptions {
  readonly limitMs: number;
  /** Ends the file at once. */
  readonly signal: AbortSignal;
}

const summary = /^ {2}Total: +(\d+)\n {2}Passed: +(\d+)\n {2}Skipped: +(\d+)\n {2}Duration: /gm;

/** How long a file may stay alive after its summary: a failed test may have left something open. */
const lingerMs = 60_000;

const hooks = new URL('./uvu-hooks.ts', import.meta.url).href;

/** What a shell, a Git hook or a pipeline may have set and what changes how edict, Git, PostgreSQL, npm, the formats of times or colours behave. */
const settings =
  /^(?:GIT_|HW_|HUAWEICLOUD_|EDICT_(?!TEST_)|PG|OTEL_|LC_|npm_(?!config_))|^(?:LANG|LANGUAGE|TZ|NODE_OPTIONS|FORCE_COLOR|CLICOLOR_FORCE|COLORTERM|CDPATH)$/;

/** Returns `env` without the settings of whoever runs the tests. */
export function neutralEnv(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !settings.test(name)));
}

/** How long the pipes of an ended process may stay open: a child that left its process group would hold them for ever. */
const drainMs = 1_000;

/**
 * Runs one uvu file in a process of its own and counts its tests, then ends whatever the process left running.
 *
 * uvu's exit code cannot be trusted: it is 0 when a `before` hook throws, when `run()` is never called and when a test throws
 * `null`. So a file passes only if uvu's own summary says, once, that every test of at least one ran and passed, and if the
 * process then ends by itself with exit code 0.
 */
export async function runTestFile(file: string, { limitMs, signal }: RunOptions): Promise<FileResult> {
  const startedAtMs = performance.now();
  const child = spawn(process.execPath, ['--import', hooks, file], {
    detached: true, // a process group of its own, so that its children can be ended with it
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...neutralEnv(process.env), NO_COLOR: '1' },
  });
  const { pid } = child;
  let stdout = '';
  let output = '';
  const isOver = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    output += text;
    if (timer === undefined && stdout.includes('\n  Duration:  ')) timer = setTimeout(() => isOver.abort(), lingerMs);
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });

  const limit = AbortSignal.timeout(limitMs);
  const stop = AbortSignal.any([limit, signal, isOver.signal]);
  const kill = (): void => killGroup(pid);
  if (stop.aborted) kill();
  else stop.addEventListener('abort', kill);
  const closed = once(child, 'close');
  const [code, killedBy] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
  const stopped = stop.aborted;
  clearTimeout(timer);
  stop.removeEventListener('abort', kill);
  kill();
  await Promise.race([closed, sleep(drainMs, undefined, { ref: false })]);
  child.stdout.destroy();
  child.stderr.destroy();

  const seconds = (performance.now() - startedAtMs) / 1_000;
  const limitText = signal.aborted ? 'stopped' : `still running after ${Math.round(seconds)} s`;
  return { ...judge(stdout, stopped ? limitText : null, code ?? killedBy), seconds, output };
}

/** Returns the counts of a file that wrote `stdout`, and why it failed if it did. */
function judge(stdout: string, stopped: string | null, end: number | string | null): Pick<FileResult, 'passed' | 'failed' | 'why'> {
  const summaries = [...stripVTControlCharacters(stdout).matchAll(summary)];
  const counts = summaries.length === 1 ? summaries.flat().slice(1) : [];
  const [total = 0, passed = 0, skipped = 0] = counts.map(Number);
  const why = reason();
  return { passed, failed: why === null ? 0 : Math.max(1, total - passed), why };

  function reason(): string | null {
    if (stopped !== null) return summaries.length === 0 ? stopped : `${stopped}, though its tests were done: something is left open`;
    if (summaries.length === 0) return `no summary (exit code ${end}): it ended early, or never calls run()`;
    if (summaries.length > 1) return `${summaries.length} summaries: run() is called too late, or a test prints one`;
    if (total === 0) return 'it ran no test';
    if (passed !== total) return `${total - passed} of ${total} tests failed or never ran`;
    if (skipped !== 0) return `${skipped} tests were skipped`;
    return end === 0 ? null : `every test passed, but the exit code is ${end}`;
  }
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // Nothing of the group is left.
  }
}
