import { execFile } from 'node:child_process';
import { appendFileSync, cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';

const root = join(import.meta.dirname, '../..');
const filesIn = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.includes('.'));
const generated = filesIn(join(root, 'generated'));

interface Ended {
  readonly code: number;
  readonly stderr: string;
}

/** Runs spec/generate.ts of the repository at `folder`. */
function generate(folder: string, ...options: readonly string[]): Promise<Ended> {
  return new Promise((resolve, reject) => {
    execFile(process.execPath, [join(folder, 'spec/generate.ts'), ...options], { cwd: tmpdir() }, (error, _stdout, stderr) => {
      if (error && typeof error.code !== 'number') reject(error);
      else resolve({ code: Number(error?.code ?? 0), stderr });
    });
  });
}

/** Runs `run` on a copy of all inputs and outputs of the generator. */
async function withCopy(run: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'edict-generate-'));
  try {
    for (const name of ['spec', 'src/ui', 'generated', 'package.json']) cpSync(join(root, name), join(folder, name), { recursive: true });
    symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
    await run(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test('every generated file that was changed by hand or is missing is named, and the check repairs nothing', () =>
  withCopy(async (folder) => {
    const pathOf = (name: string): string => join(folder, 'generated', name);
    const missing = 'roma-connect.json';
    const changed = generated.filter((name) => name !== missing);
    rmSync(pathOf(missing));
    for (const name of changed) appendFileSync(pathOf(name), '\n');
    const before = changed.map((name) => readFileSync(pathOf(name), 'utf8'));
    const { code, stderr } = await generate(folder, '--check');
    assert.is(code, 1);
    assert.match(stderr, /^Out of date: .*\. Run `npm run generate`/);
    assert.equal([...stderr.matchAll(/generated\/([\w./-]+)(?=[,.] )/g)].map(([, name]) => name).sort(), generated.toSorted());
    assert.not.ok(existsSync(pathOf(missing)));
    assert.equal(
      changed.map((name) => readFileSync(pathOf(name), 'utf8')),
      before,
    );
  }));

test('after a change of the specification, the check names outdated files, and generating updates them', () =>
  withCopy(async (folder) => {
    const path = join(folder, 'spec/roma-connect.openapi.yaml');
    writeFileSync(path, readFileSync(path, 'utf8').replace('required: [api_id, env_id]', 'required: [api_id, env_id, publish_id]'));
    const { code, stderr } = await generate(folder, '--check');
    assert.is(code, 1);
    assert.match(stderr, 'Out of date: generated/roma-connect.d.ts, generated/roma-connect.json, generated/roma-connect-answers.cjs. Run');
    assert.equal(await generate(folder), { code: 0, stderr: '' });
    assert.equal(await generate(folder, '--check'), { code: 0, stderr: '' });
    assert.equal(filesIn(join(folder, 'generated')).toSorted(), generated.toSorted());
  }));

test.run();
