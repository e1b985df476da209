/**
 * `npm test [part of a path …]`: runs each test file in a process of its own and ends with `N passed, N failed`.
 *
 * A line `note: …` that a file writes is shown: something could not be looked at here. Exit code 1 when anything failed or nothing ran. `--in FOLDER` and `--limit SECONDS` (per file) are there for its own test.
 *
 * All files share a temporary folder (`EDICT_TEST_FOLDER`), which is removed at the end, and one PostgreSQL (`EDICT_TEST_PG`), which is
 * started if one of them needs it.
 */
import { mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { startPostgres } from './support/postgres.ts';
import { runTestFile } from './support/test-process.ts';

const concurrency = 2;

const { values, positionals: wanted } = parseArgs({
  allowPositionals: true,
  options: { in: { type: 'string', default: import.meta.dirname }, limit: { type: 'string', default: '600' } },
});
const folder = resolve(values.in);
const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.test.ts') && !path.startsWith('bench/'))
  .filter((path) => wanted.length === 0 || wanted.some((part) => join('test', path).includes(part)))
  .sort();

const stop = new AbortController();
process.once('SIGINT', () => stop.abort()).once('SIGTERM', () => stop.abort());

process.umask(0o022);
await using shared = new AsyncDisposableStack();
const scratch = mkdtempSync(join(realpathSync(tmpdir()), 'edict-tests-'));
shared.defer(() => rmSync(scratch, { recursive: true, force: true }));
process.env['EDICT_TEST_FOLDER'] = scratch;
if (!process.env['EDICT_TEST_PG'] && files.some((path) => readFileSync(join(folder, path), 'utf8').includes('postgresServer('))) {
  const server = await startPostgres();
  shared.defer(() => server.close());
  process.env['EDICT_TEST_PG'] = server.url;
}

let passed = 0;
let failed = 0;

async function work(queue: string[]): Promise<void> {
  for (let path = queue.shift(); path !== undefined && !stop.signal.aborted; path = queue.shift()) {
    const result = await runTestFile(join(folder, path), { limitMs: Number(values.limit) * 1_000, signal: stop.signal });
    passed += result.passed;
    failed += result.failed;
    const line = `${path}  ${result.passed} passed  ${result.seconds.toFixed(1)} s\n`;
    const notes = result.output.match(/^note: .*\n/gm) ?? [];
    process.stdout.write(
      result.why === null ? `ok    ${line}${notes.join('')}` : `FAIL  ${line}${result.output}\n      ${path}: ${result.why}\n\n`,
    );
  }
}

const queue = [...files];
await Promise.all(Array.from({ length: concurrency }, () => work(queue)));
if (files.length === 0) process.stdout.write(`No test file matches ${wanted.join(', ') || folder}.\n`);
process.stdout.write(`${passed} passed, ${failed} failed\n`);
if (failed > 0 || passed === 0 || stop.signal.aborted) process.exitCode = 1;
