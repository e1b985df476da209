import { execFile } from 'node:child_process';
import { appendFileSync, cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
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
    for (const name of ['spec', 'src/ui', 'src/model/visible.ts', 'src/gateway/error-rules.ts', 'generated', 'package.json'])
      cpSync(join(root, name), join(folder, name), { recursive: true });
    symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
    await run(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Returns the text of each generated file of the repository at `folder`. */
const textsIn = (folder: string): ReadonlyMap<string, string> =>
  new Map(filesIn(join(folder, 'generated')).map((name) => [name, readFileSync(join(folder, 'generated', name), 'utf8')]));

test('after a change of the specification, generating updates what depends on it and nothing else', () =>
  withCopy(async (folder) => {
    const path = join(folder, 'spec/roma-connect.openapi.yaml');
    writeFileSync(path, readFileSync(path, 'utf8').replace('required: [api_id, env_id]', 'required: [api_id, env_id, publish_id]'));
    const before = textsIn(folder);
    assert.equal(await generate(folder), { code: 0, stderr: '' });
    const after = textsIn(folder);
    assert.equal([...after.keys()].toSorted(), generated.toSorted());
    assert.equal(generated.filter((name) => after.get(name) !== before.get(name)).toSorted(), [
      'roma-connect-answers.cjs',
      'roma-connect.d.ts',
      'roma-connect.json',
    ]);
  }));

test('the check names every generated file that is missing or was changed by hand and no other, and repairs nothing', () =>
  withCopy(async (folder) => {
    const [missing, current] = ['roma-connect.json', 'roma-connect.d.ts'];
    const outdated = generated.filter((name) => name !== current);
    const changed = outdated.filter((name) => name !== missing);
    rmSync(join(folder, 'generated', missing));
    for (const name of changed) appendFileSync(join(folder, 'generated', name), '\n');
    const before = textsIn(folder);
    const { code, stderr } = await generate(folder, '--check');
    assert.is(code, 1);
    assert.match(stderr, /^Out of date: .*\. Run `npm run generate`/);
    assert.equal([...stderr.matchAll(/generated\/([\w./-]+)(?=[,.] )/g)].map(([, name]) => name).sort(), outdated.toSorted());
    assert.equal(textsIn(folder), before);
  }));

test.run();
