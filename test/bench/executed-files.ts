/**
 * `node test/bench/executed-files.ts [FOLDER]`: applies one publication to an emulated gateway with the edict of the checkout FOLDER (default:
 * this one), and prints the files under its `src/` in which a named function ran, and their number. V8 counts, so nothing is sampled.
 */
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { startEmulator } from '../../src/emulator/emulator.ts';
import { seedOf } from '../support/edict-process.ts';

interface Coverage {
  readonly result: readonly {
    readonly url: string;
    readonly functions: readonly { readonly functionName: string; readonly ranges: readonly { readonly count: number }[] }[];
  }[];
}

const root = resolve(process.argv[2] ?? join(import.meta.dirname, '../..'));
const folder = mkdtempSync(join(tmpdir(), 'edict-executed-'));
const emulator = await startEmulator({ seed: seedOf('orders') });
try {
  const coverage = join(folder, 'coverage');
  mkdirSync(coverage);
  const file = join(folder, 'edict.yaml');
  // Only keys that every format of the file has had, so that an older checkout can be measured too.
  const gateway = `{ endpoint: "${emulator.url}", project: project, instance: instance }`;
  const apis = '{ orders: { id: api-orders, environments: { test: online } } }';
  writeFileSync(file, `edict: 1\ngateway: ${gateway}\nenvironments: { test: env-test }\napis: ${apis}\n`);
  const args = [join(root, 'src/main.ts'), 'apply', file, '--state', `sqlite:${join(folder, 'state.db')}`];
  const env = { PATH: process.env['PATH'], HW_AUTH_TOKEN: 'token', NODE_V8_COVERAGE: coverage };
  await promisify(execFile)(process.execPath, args, { cwd: folder, env });
  const executed = new Set<string>();
  for (const name of readdirSync(coverage)) {
    const { result } = JSON.parse(readFileSync(join(coverage, name), 'utf8')) as Coverage;
    for (const { url, functions } of result) {
      if (!url.startsWith('file:')) continue;
      const path = relative(root, fileURLToPath(url));
      const hasRun = functions.some(({ functionName, ranges }) => functionName !== '' && (ranges[0]?.count ?? 0) > 0);
      if (path.startsWith('src/') && hasRun) executed.add(path);
    }
  }
  process.stdout.write(`${[...executed].sort().join('\n')}\n${executed.size} files\n`);
} finally {
  await emulator.close();
  rmSync(folder, { recursive: true, force: true });
}
