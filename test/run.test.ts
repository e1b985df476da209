import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type FileResult, type RunOptions, runTestFiles } from './support/test-process.ts';

const folder = mkdtempSync(join(tmpdir(), 'edict-run-'));
const root = resolve(import.meta.dirname, '..');
const head = "import { suite, test } from 'uvu';\nimport * as assert from 'uvu/assert';\n";
const good = "test('one', () => {});\ntest('two', async () => {});\n";
const failing = "test('fails', () => assert.is(1, 2));\n";

function write(name: string, source: string): string {
  const path = join(folder, name);
  mkdirSync(resolve(path, '..'), { recursive: true });
  writeFileSync(path, head + source);
  return path;
}

async function runTestFile(file: string, options: RunOptions): Promise<FileResult> {
  const [result] = await runTestFiles([file], options);
  return result as FileResult;
}

test.before(() => symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules')));
test.after(() => rmSync(folder, { recursive: true, force: true }));

const wrong: readonly [sentence: string, source: string, passed: number, failed: number, why: RegExp][] = [
  ['a test that fails', `${good}${failing}test.run();`, 2, 1, /1 of 3/],
  ['a before hook that throws', `test.before(() => { throw new Error('x'); });\n${good}test.run();`, 0, 2, /2 of 2/],
  ['a before each hook that throws', `test.before.each(() => { throw new Error('x'); });\n${good}test.run();`, 0, 2, /2 of 2/],
  ['an after hook that throws', `test.after(() => { throw new Error('x'); });\n${good}test.run();`, 0, 1, /no summary/],
  ['an after each hook that throws', `test.after.each(() => { throw new Error('x'); });\n${good}test.run();`, 0, 2, /2 of 2/],
  ['a file without run()', good, 0, 1, /ran no test/],
  ['a test that throws null', `${good}test('null', () => { throw null; });\ntest.run();`, 2, 1, /1 of 3/],
  ['a first test that throws null', `test('null', () => { throw null; });\n${good}test.run();`, 0, 3, /3 of 3/],
  [
    'a test that hangs on a timer',
    `test('hangs', () => new Promise(() => setInterval(() => {}, 1000)));\ntest.run();`,
    0,
    1,
    /still running/,
  ],
  ['a test that hangs in a loop', `test('hangs', () => { for (;;); });\ntest.run();`, 0, 1, /still running/],
  ['a test that waits for nothing', `test('waits', () => new Promise(() => {}));\ntest.run();`, 0, 1, /no summary/],
  ['an open handle after the last test', `${good}test.run();\nsetInterval(() => {}, 1000);`, 2, 1, /something is left open/],
  ['a skipped test', `${good}test.skip('later', () => {});\ntest.run();`, 2, 1, /1 tests were skipped/],
  ['an only test', `${good}test.only('this', () => {});\ntest.run();`, 1, 1, /2 tests were skipped/],
  ['process.exit(0) in a test', `${good}test('exits', () => process.exit(0));\ntest.run();`, 0, 1, /no summary/],
  ['process.exit(0) before the tests', `${good}test.run();\nprocess.exit(0);`, 0, 1, /no summary/],
  ['an exit code after good tests', `${good}test.run();\nprocess.on('exit', () => { process.exitCode = 7; });`, 2, 1, /exit code is 7/],
  [
    'a signal',
    `${good}test('dies', () => process.kill(process.pid, 'SIGTERM'));\ntest('x', () => new Promise(() => setInterval(() => {}, 9)));\ntest.run();`,
    0,
    1,
    /SIGTERM/,
  ],
  ['an unhandled rejection', `test('one', () => { void Promise.reject(new Error('x')); });\n${good}test.run();`, 3, 1, /exit code is 1/],
  [
    'an unhandled rejection and a wait',
    `test('one', () => { void Promise.reject(new Error('x')); return new Promise((r) => setTimeout(r)); });\ntest.run();`,
    0,
    1,
    /no summary/,
  ],
  [
    'an unhandled rejection after the tests',
    `${good}test.run();\nsetTimeout(() => Promise.reject(new Error('x')), 300);`,
    2,
    1,
    /exit code is 1/,
  ],
  ['a file without tests', 'test.run();', 0, 1, /ran no test/],
  ['an empty file', '', 0, 1, /ran no test/],
  ['a file that does not parse', 'test(', 0, 1, /no summary/],
  ['an import that does not resolve', "import './absent.ts';", 0, 1, /no summary/],
  [
    'a second run() that comes too late',
    `${good}test.run();\nconst s = suite();\nsetTimeout(() => { s('x', () => {}); s.run(); }, 300);`,
    2,
    1,
    /exit code is 1/,
  ],
  [
    'a summary printed by a test',
    `test('prints', () => console.log('\\n  Total:     9\\n  Passed:    9\\n  Skipped:   0\\n  Duration:  1ms\\n'));\ntest.run();`,
    0,
    1,
    /2 summaries/,
  ],
];

/** Shortens the time that a row with this reason waits for. */
function lingering(why: RegExp): Pick<RunOptions, 'lingerMs'> {
  return why.source === 'something is left open' ? { lingerMs: 200 } : {};
}

for (const [sentence, source, passed, failed, why] of wrong) {
  test(`counts as failed: ${sentence}`, async () => {
    const file = write('wrong.test.ts', source);
    const result = await runTestFile(file, {
      limitMs: why.source === 'still running' ? 500 : 60_000,
      ...lingering(why),
      signal: new AbortController().signal,
    });
    assert.match(result.why ?? 'it passed', why);
    assert.equal([result.passed, result.failed], [passed, failed]);
  });
}

test('counts every test of a good file', async () => {
  const file = write('good.test.ts', `${good}test.run();\nconst more = suite('more');\nmore('three', () => {});\nmore.run();`);
  const result = await runTestFile(file, { limitMs: 60_000, signal: new AbortController().signal });
  assert.equal([result.passed, result.failed, result.why], [3, 0, null]);
});

test('counts correctly with forced colours', async () => {
  const file = write('good.test.ts', `${good}test.run();`);
  process.env['FORCE_COLOR'] = '1';
  const result = await runTestFile(file, { limitMs: 60_000, signal: new AbortController().signal });
  delete process.env['FORCE_COLOR'];
  assert.equal([result.passed, result.why], [2, null]);
});

test('ends the child processes that a file leaves behind', async () => {
  const beat = join(folder, 'beat');
  const child = `setInterval(() => require('node:fs').writeFileSync(${JSON.stringify(beat)}, String(Date.now())), 20)`;
  const source = `import { spawn } from 'node:child_process';
    test('leaves a child', async () => {
      spawn(process.execPath, ['-e', ${JSON.stringify(child)}], { stdio: 'inherit' }).unref();
      while (!(await import('node:fs')).existsSync(${JSON.stringify(beat)})) await new Promise((r) => setTimeout(r, 10));
    });
    test.run();`;
  const result = await runTestFile(write('leaves.test.ts', source), { limitMs: 60_000, signal: new AbortController().signal });
  assert.is(result.why, null);
  assert.ok(existsSync(beat));
  await sleep(100);
  const last = readFileSync(beat, 'utf8');
  await sleep(200);
  assert.is(readFileSync(beat, 'utf8'), last);
});

test('stops at once on a signal', async () => {
  const file = write('hangs.test.ts', `test('hangs', () => new Promise(() => setInterval(() => {}, 1000)));\ntest.run();`);
  const result = await runTestFile(file, { limitMs: 60_000, signal: AbortSignal.timeout(300) });
  assert.is(result.why, 'stopped');
  assert.ok(result.seconds < 60);
});

function command(...args: string[]): { code: number | null; lines: string[] } {
  const { status, stdout } = spawnSync(process.execPath, [join(root, 'test/run.ts'), ...args], { encoding: 'utf8' });
  return { code: status, lines: stdout.trimEnd().split('\n') };
}

test('sums up all files, prints the output of a failed one and ends with exit code 1', () => {
  write('sum/a.test.ts', `${good}test.run();`);
  write('sum/deep/b.test.ts', `${good}${failing}test.run();`);
  write('sum/c.test.ts', good);
  write('sum/bench/d.test.ts', failing);
  const { code, lines } = command('--in', join(folder, 'sum'));
  assert.is(code, 1);
  assert.is(lines.at(-1), '4 passed, 2 failed');
  assert.ok(lines.some((line) => /^ok {4}a\.test\.ts {2}2 passed {2}\d+\.\d s \(cpu \d+\.\d s\)$/.test(line)));
  assert.ok(lines.some((line) => /^FAIL {2}deep\/b\.test\.ts/.test(line)));
  assert.ok(lines.some((line) => line.includes('FAIL  "fails"')));
  assert.ok(lines.some((line) => line.includes('c.test.ts: it ran no test')));
});

test('counts each file of a shared process, and a failed one does not affect the others', async () => {
  const pid = "test('pid', () => console.log('pid', process.pid));\n";
  const files = ['a', 'b', 'c'].map((name, index) =>
    write(`shared/${name}.test.ts`, `${pid}${good}${index === 1 ? failing : ''}test.run();`),
  );
  const results = await runTestFiles(files, { limitMs: 60_000, signal: new AbortController().signal });
  assert.equal(
    results.map(({ passed, failed, why }) => [passed, failed, why]),
    [
      [3, 0, null],
      [3, 1, '1 of 4 tests failed or never ran'],
      [3, 0, null],
    ],
  );
  assert.is(new Set(results.map(({ output }) => /pid \d+/.exec(output)?.[0])).size, 1, 'all share one process');
  assert.equal(
    results.map(({ output }) => output.includes('FAIL')),
    [false, true, false],
  );
});

const ends: readonly [sentence: string, source: string, counts: readonly [number, number][], why: RegExp][] = [
  ['ends', `${good}test('exits', () => process.exit(0));\ntest.run();`, [[2, 0], [0, 1], [0, 1]], /no summary.*not started/], // biome-ignore format: a table
  ['waits for nothing', `test('x', () => new Promise(() => {}));\ntest.run();`, [[2, 0], [0, 1], [0, 1]], /no summary.*not started/], // biome-ignore format: a table
  ['does not parse', 'test(', [[2, 0], [0, 1], [0, 1]], /no summary.*not started/], // biome-ignore format: a table
  ['throws later', `${good}test.run();\nsetTimeout(() => Promise.reject(new Error('x')), 10);`, [[2, 0], [2, 0], [0, 1]], /no summary/], // biome-ignore format: a table
  ['leaves a handle open', `${good}test.run();\nsetInterval(() => {}, 1000);`, [[2, 0], [2, 0], [2, 1]], /something is left open/], // biome-ignore format: a table
];
for (const [sentence, source, counts, why] of ends) {
  test(`fails when a file of a shared process ${sentence}`, async () => {
    const last = `${good}test.after(() => new Promise((resolve) => setTimeout(resolve, 500)));\ntest.run();`;
    const files = [write('ends/a.test.ts', `${good}test.run();`), write('ends/b.test.ts', source), write('ends/c.test.ts', last)];
    const results = await runTestFiles(files, { limitMs: 60_000, ...lingering(why), signal: new AbortController().signal });
    assert.match(results.map((result) => result.why).join(' '), why);
    assert.equal(
      results.map(({ passed, failed }) => [passed, failed]),
      counts,
    );
  });
}

test('shows which checks a file skipped', () => {
  write('notes/a.test.ts', `console.log('note: no such tool');\nconsole.log('some other line');\n${good}test.run();`);
  const { lines } = command('--in', join(folder, 'notes'));
  assert.is(lines[1], 'note: no such tool');
  assert.match(lines[2] ?? '', /^CPU \d+ s$/);
  assert.equal(lines.slice(3), ['2 passed, 0 failed']);
});

test('runs only the files whose path contains one of the arguments', () => {
  write('sum/a.test.ts', `${good}test.run();`);
  write('sum/z.test.ts', failing);
  const { code, lines } = command('--in', join(folder, 'sum'), 'a.test');
  assert.is(code, 0);
  assert.is(lines.at(-1), '2 passed, 0 failed');
});

test('fails when nothing ran', () => {
  const { code, lines } = command('--in', join(folder, 'sum'), 'absent');
  assert.is(code, 1);
  assert.is(lines.at(-1), '0 passed, 0 failed');
});

test.run();
