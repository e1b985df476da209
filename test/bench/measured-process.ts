import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { performance } from 'node:perf_hooks';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';

export interface Finished {
  readonly stdout: string;
  /** From the spawn to the end of the process. */
  readonly tookMs: number;
}

const options: SpawnOptions = { env: { ...process.env, NO_COLOR: '1', EDICT_LISTEN: 'off', HW_AUTH_TOKEN: 'bench' } };

/** Runs Node with `args` to its end. Throws an Error with its stderr if the exit code is not 0. */
export async function runNode(args: readonly string[]): Promise<Finished> {
  const startedAtMs = performance.now();
  const child = spawn(process.execPath, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
  const texts = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      texts[name] += text;
    });
  }
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
  const tookMs = performance.now() - startedAtMs;
  if (code !== 0) throw new Error(`node ${args.join(' ')} ended with ${code ?? signal}: ${texts.stderr || texts.stdout}`);
  return { stdout: texts.stdout, tookMs };
}

/**
 * Writes the peak memory of the process, in KiB, at its end. `VmHWM` is that of the process itself; the fallback `maxRSS`
 * starts on Linux with that of the parent process.
 */
const reportPeak = `data:text/javascript,${encodeURIComponent(`
import { readFileSync, writeSync } from 'node:fs';
const own = () => Number(/VmHWM:\\s*(\\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1]);
process.on('exit', () => {
  let kib;
  try { kib = own(); } catch { kib = process.resourceUsage().maxRSS; }
  writeSync(1, '\\npeak ' + kib);
});`)}`;

/** Runs Node with `args` to its end and returns its peak memory in MB (10^6 bytes). */
export async function peakMemory(args: readonly string[]): Promise<number> {
  const { stdout } = await runNode(['--import', reportPeak, ...args]);
  const kib = /\npeak (\d+)$/.exec(stdout)?.[1];
  if (kib === undefined) throw new Error(`node ${args.join(' ')} did not say how much memory it took`);
  return (Number(kib) * 1024) / 1e6;
}

/** A process that runs until it is stopped. */
export interface RunningNode extends AsyncDisposable {
  readonly pid: number;
  /** Resolves to the next line that matches, stdout and stderr alike. Rejects after 60 seconds or if the process ends before. */
  line(pattern: RegExp): Promise<RegExpExecArray>;
}

/** Starts Node with `args`. Disposing of it sends SIGTERM and waits for its end. */
export function startNode(args: readonly string[]): RunningNode {
  const child = spawn(process.execPath, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
  const waiting = new Set<(line: string | null) => void>();
  const tell = (line: string | null): void => {
    for (const onLine of [...waiting]) onLine(line);
  };
  for (const stream of [child.stdout, child.stderr]) createInterface({ input: stream as Readable }).on('line', tell);
  child.once('close', () => tell(null));
  const line = (pattern: RegExp): Promise<RegExpExecArray> =>
    new Promise((resolve, reject) => {
      const end = (): void => {
        clearTimeout(timer);
        waiting.delete(onLine);
      };
      const onLine = (text: string | null): void => {
        const found = text === null ? null : pattern.exec(text);
        if (text !== null && found === null) return;
        end();
        if (found) resolve(found);
        else reject(new Error(`node ${args.join(' ')} ended before it wrote ${pattern}`));
      };
      const timer = setTimeout(() => {
        end();
        reject(new Error(`node ${args.join(' ')} did not write ${pattern} within 60 s`));
      }, 60_000);
      waiting.add(onLine);
    });
  return { pid: child.pid ?? 0, line, [Symbol.asyncDispose]: () => ended(child) };
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.kill('SIGTERM');
  await exit;
}
