/**
 * `npm test [part of a path …]`: runs the test files and ends with `N passed, N failed`.
 *
 * A file runs in a process of its own, or shares one with others of its folder (`sharingFolders`). The most expensive files start first. A line
 * `note: …` that a file writes is shown: it names a skipped check. Exit code 1 when anything failed or nothing ran. `--in FOLDER`
 * and `--limit SECONDS` (per file) are there for its own test.
 *
 * All files share a temporary folder (`EDICT_TEST_FOLDER`), which is also their `TMPDIR` and removed at the end, so that nothing of a killed
 * one is left; compiled modules; and one PostgreSQL (`EDICT_TEST_PG`), which is started if one of them needs it.
 */
import { chmodSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { cpuSeconds } from './support/cpu-time.ts';
import { startPostgres } from './support/postgres.ts';
import { runTestFiles } from './support/test-process.ts';

const concurrency = 2;

/** Folders and files that take longest: they start first, so that the run does not end with one of them alone. */
const costlyFirst = ['app/wait', 'e2e/', 'chaos/', 'store/', 'cli/commands/', 'app/'];

/** Folders whose files share processes: starting one, and compiling what is run often, costs a third of the CPU time of short files. */
const sharingFolders = [
  'app/',
  'attacks/',
  'cli/',
  'controller/',
  'diagnostics/',
  'e2e/',
  'emulator/',
  'gateway/',
  'model/',
  'plan/',
  'render/',
  'server/',
  'source/',
  'store/',
  'telemetry/',
  'ui/',
];

/** How many files share a process at most: both processes at a time have work until the end. */
const maxShared = 12;

/** A file that changes global state of its process, or measures it, has its own. */
const touchesProcess =
  /\bprocess\.(?:chdir|umask|exit|exitCode|on|once|memoryUsage)\b|\bprocess\.kill\(process\.pid|\bprocess\.env\[[^\]]+\] = |\bdelete process\.env\b|\(process\.env,/;

/** Files that share a process, whatever their folder, so that the browser is started once. */
const usesBrowser = /\/(?:browser|shown-page)\.ts'/;

const { values, positionals: wanted } = parseArgs({
  allowPositionals: true,
  options: { in: { type: 'string', default: import.meta.dirname }, limit: { type: 'string', default: '600' } },
});
const folder = resolve(values.in);
const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.test.ts') && !path.startsWith('bench/'))
  .filter((path) => wanted.length === 0 || wanted.some((part) => join('test', path).includes(part)))
  .sort((a, b) => costRank(a) - costRank(b) || (a < b ? -1 : 1));

const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => stop.abort());

process.umask(0o022);
await using shared = new AsyncDisposableStack();
const scratch = temporaryFolder();
shared.defer(() => rmSync(scratch, { recursive: true, force: true, maxRetries: 5 }));
if (process.getuid?.() === 0) chmodSync(scratch, 0o711); // The PostgreSQL of root runs as another user.
process.env['EDICT_TEST_FOLDER'] = scratch;
process.env['TMPDIR'] = scratch;
if (!process.env['EDICT_TEST_PG'] && files.some((path) => readFileSync(join(folder, path), 'utf8').includes('postgresServer('))) {
  const server = await startPostgres();
  shared.defer(() => server.close());
  process.env['EDICT_TEST_PG'] = server.url;
}

process.env['NODE_COMPILE_CACHE'] = join(scratch, 'compiled');

let passed = 0;
let failed = 0;
let filesCpuSeconds = 0;

/** Returns the path of a new folder, or ends the run with a sentence if none can be created. */
function temporaryFolder(): string {
  try {
    return mkdtempSync(join(realpathSync(tmpdir()), 'edict-tests-'));
  } catch (error) {
    process.stdout.write(
      `No folder can be created in ${tmpdir()} (${(error as Error).message}): set TMPDIR to another one.\n0 passed, 0 failed\n`,
    );
    process.exit(1);
  }
}

/** Returns the files of each process. */
function processesOf(paths: readonly string[]): string[][] {
  const processes = Map.groupBy(paths, (path) => {
    const text = readFileSync(join(folder, path), 'utf8');
    if (usesBrowser.test(text)) return 'browser';
    return touchesProcess.test(text) ? path : (sharingFolders.find((prefix) => path.startsWith(prefix)) ?? path);
  });
  return [...processes.values()].flatMap((group) => {
    const size = Math.ceil(group.length / Math.ceil(group.length / maxShared));
    return Array.from({ length: Math.ceil(group.length / size) }, (_, index) => group.slice(index * size, (index + 1) * size));
  });
}

function costRank(path: string): number {
  const rank = costlyFirst.findIndex((prefix) => path.startsWith(prefix));
  return rank < 0 ? costlyFirst.length : rank;
}

async function work(queue: string[][]): Promise<void> {
  for (let paths = queue.shift(); paths !== undefined && !stop.signal.aborted; paths = queue.shift()) {
    const limits = { limitMs: Number(values.limit) * 1_000 * paths.length, signal: stop.signal };
    const results = await runTestFiles(
      paths.map((path) => join(folder, path)),
      limits,
    );
    for (const [index, result] of results.entries()) {
      passed += result.passed;
      failed += result.failed;
      filesCpuSeconds += result.cpuSeconds ?? 0;
      const path = paths[index] ?? '';
      const line = `${path}  ${result.passed} passed  ${result.seconds.toFixed(1)} s (cpu ${result.cpuSeconds?.toFixed(1) ?? '?'} s)\n`;
      const notes = [...new Set(result.output.match(/^note: .*\n/gm))];
      process.stdout.write(
        result.why === null ? `ok    ${line}${notes.join('')}` : `FAIL  ${line}${result.output}\n      ${path}: ${result.why}\n\n`,
      );
    }
  }
}

const queue = processesOf(files);
await Promise.all(Array.from({ length: concurrency }, () => work(queue)));
if (files.length === 0) process.stdout.write(`No test file matches ${wanted.join(', ') || folder}.\n`);
await shared.disposeAsync();
// On Linux this process knows the time of all its ended descendants, PostgreSQL among them.
process.stdout.write(`CPU ${Math.round(Math.max(filesCpuSeconds, cpuSeconds()))} s\n`);
process.stdout.write(`${passed} passed, ${failed} failed\n`);
if (failed > 0 || passed === 0 || stop.signal.aborted) process.exitCode = 1;
