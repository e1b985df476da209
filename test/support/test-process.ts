import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, rmSync } from 'node:fs';
import { devNull } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';
import { cpuTimeFile } from './cpu-time.ts';

export interface FileResult {
  readonly passed: number;
  readonly failed: number;
  /** Why the file counts as failed; `null` if it passed. */
  readonly why: string | null;
  readonly seconds: number;
  /** The CPU time of its process and its ended children; `null` if unknown, for example when the process was killed. */
  readonly cpuSeconds: number | null;
  /** The output of the file on stdout and stderr. */
  readonly output: string;
}

export interface RunOptions {
  readonly limitMs: number;
  /** How long the process may stay alive after its tests: a failed one may have left something open. */
  readonly lingerMs?: number;
  /** Ends the process at once. */
  readonly signal: AbortSignal;
}

/** How a process ended. */
interface End {
  /** Why it was killed; `null` if it exited. */
  readonly stopped: string | null;
  readonly code: number | string | null;
  readonly seconds: number;
  readonly cpuSeconds: number | null;
}

const summary = /^ {2}Total: +(\d+)\n {2}Passed: +(\d+)\n {2}Skipped: +(\d+)\n {2}Duration: /gm;

/** The line that `test-files.ts` writes before each file and, without a path, after the last one: wall and CPU seconds so far. */
const mark = /^=== ([\d.]+) ([\d.]+) (.*)\n/gm;

const hooks = new URL('./uvu-hooks.ts', import.meta.url).href;
const entry = fileURLToPath(new URL('./test-files.ts', import.meta.url));

/**
 * Variables that a shell, a Git hook or a pipeline may have set and that affect edict, Git, Node.js, PostgreSQL, npm, the browser, the formats of
 * times or colours.
 */
const settings =
  /^(?:GIT_|HW_|HUAWEICLOUD_|EDICT_(?!TEST_)|PG|OTEL_|LC_|npm_(?!config_)|NODE_(?!EXTRA_CA_CERTS$|V8_COVERAGE$|COMPILE_CACHE$))|^(?:LANG|LANGUAGE|TZ|FORCE_COLOR|CLICOLOR_FORCE|COLORTERM|CDPATH|DEBUG|PWDEBUG)$/;

/** Returns `env` without the settings of the person who runs the tests, and with Git's configuration files left out: they may ask for signed commits. */
export function neutralEnv(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const kept = Object.entries(env).filter(([name]) => !settings.test(name));
  return { ...Object.fromEntries(kept), GIT_CONFIG_GLOBAL: devNull, GIT_CONFIG_NOSYSTEM: '1' };
}

/** How long the pipes of an ended process may stay open: a child that left its process group would hold them forever. */
const drainMs = 1_000;

/**
 * Runs uvu files one after the other in one process and counts the tests of each, then ends whatever the process left running.
 *
 * uvu's exit code cannot be trusted: it is 0 when a `before` hook throws, when `run()` is never called and when a test throws
 * `null`. So a file passes only if the summary of uvu says, once, that at least one test ran and every one passed. If the
 * process does not then exit with code 0, its last file counts as failed.
 */
export async function runTestFiles(files: readonly string[], { limitMs, lingerMs = 60_000, signal }: RunOptions): Promise<FileResult[]> {
  const startedAtMs = performance.now();
  const child = spawn(process.execPath, ['--import', hooks, entry, ...files], {
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
    if (timer === undefined && marksIn(stdout).some(({ path }) => path === '')) timer = setTimeout(() => isOver.abort(), lingerMs);
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
  const isStopped = stop.aborted;
  clearTimeout(timer);
  stop.removeEventListener('abort', kill);
  kill();
  await Promise.race([closed, sleep(drainMs, undefined, { ref: false })]);
  child.stdout.destroy();
  child.stderr.destroy();

  const seconds = (performance.now() - startedAtMs) / 1_000;
  const why = signal.aborted ? 'stopped' : `still running after ${Math.round(seconds)} s`;
  return resultsOf(files, stdout, output, {
    stopped: isStopped ? why : null,
    code: code ?? killedBy,
    seconds,
    cpuSeconds: takeCpuTime(pid),
  });
}

/** Returns the result of each file of a process that wrote `stdout`, and `output` with its errors in between, and ended like this. */
function resultsOf(files: readonly string[], stdout: string, output: string, end: End): FileResult[] {
  const marks = marksIn(stdout);
  const [parts, texts] = [splitByFile(stdout), splitByFile(output)];
  const last = files.findLast((file) => parts.has(file));
  const results: FileResult[] = [];
  for (const file of files) {
    if (last !== undefined && !parts.has(file)) {
      const why = `it was not started: the process ended before (${end.stopped ?? `exit code ${end.code}`})`;
      results.push({ passed: 0, failed: 1, why, seconds: 0, cpuSeconds: 0, output: '' });
      continue;
    }
    const index = marks.findIndex(({ path }) => path === file);
    const from = index > 0 ? marks[index] : undefined; // the first file includes the start of the process
    const to = file === last ? end : (marks[index + 1] ?? end);
    const isOwnEnd = to === end && results.every(({ why }) => why === null);
    results.push({
      ...judge(
        parts.get(file) ?? stdout,
        to === end ? { stopped: end.stopped, code: isOwnEnd ? end.code : 0 } : { stopped: null, code: 0 },
      ),
      seconds: to.seconds - (from?.seconds ?? 0),
      cpuSeconds: to.cpuSeconds === null ? null : to.cpuSeconds - (from?.cpuSeconds ?? 0),
      output: texts.get(file) ?? output,
    });
  }
  return results;
}

function marksIn(text: string): { readonly seconds: number; readonly cpuSeconds: number; readonly path: string }[] {
  return [...text.matchAll(mark)].map(([, seconds, cpuSeconds, path = '']) => ({
    ...{ seconds: Number(seconds), cpuSeconds: Number(cpuSeconds), path },
  }));
}

/** Returns the output of each file. Output after the last one belongs to it. */
function splitByFile(text: string): Map<string, string> {
  const parts = new Map<string, string>();
  const pieces = stripVTControlCharacters(text).split(mark);
  let path = '';
  for (let i = 3; i < pieces.length; i += 4) {
    path = pieces[i] || path;
    parts.set(path, (parts.get(path) ?? '') + (pieces[i + 1] ?? ''));
  }
  return parts;
}

/** Returns the counts of a file that wrote `stdout`, and why it failed, if it did. */
function judge(stdout: string, { stopped, code }: Pick<End, 'stopped' | 'code'>): Pick<FileResult, 'passed' | 'failed' | 'why'> {
  const summaries = [...stdout.matchAll(summary)];
  const counts = summaries.length === 1 ? summaries.flat().slice(1) : [];
  const [total = 0, passed = 0, skipped = 0] = counts.map(Number);
  const why = reason();
  return { passed, failed: why === null ? 0 : Math.max(1, total - passed), why };

  function reason(): string | null {
    if (stopped !== null) return summaries.length === 0 ? stopped : `${stopped}, though its tests were done: something is left open`;
    if (summaries.length === 0) return `no summary (exit code ${code}): it ended early, or never calls run()`;
    if (summaries.length > 1) return `${summaries.length} summaries: a test prints one`;
    if (total === 0) return 'it ran no test';
    if (passed !== total) return `${total - passed} of ${total} tests failed or never ran`;
    if (skipped !== 0) return `${skipped} tests were skipped`;
    return code === 0 ? null : `every test passed, but the exit code is ${code}`;
  }
}

/** Returns the CPU seconds that an ended process wrote, and removes the file. */
function takeCpuTime(pid: number | undefined): number | null {
  const file = pid === undefined ? null : cpuTimeFile(pid);
  if (file === null) return null;
  try {
    return Number(readFileSync(file, 'utf8'));
  } catch {
    return null;
  } finally {
    rmSync(file, { force: true });
  }
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // No process of the group is left.
  }
}
