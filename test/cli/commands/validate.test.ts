import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { runValidate } from '../../../src/cli/commands/validate.ts';
import type { DiagnosticFormat } from '../../../src/cli/output/errors.ts';
import { fileOf, scratchFolder } from '../../support/edict-process.ts';
import { testContext } from '../../support/streams.ts';

async function check(text: string, format: DiagnosticFormat) {
  const file = join(scratchFolder(), 'edict.yaml');
  writeFileSync(file, text);
  const { context, stdout } = testContext();
  return { code: await runValidate(file, { format }, context), stdout: stdout() };
}

const valid = fileOf('https://roma.example.com', { orders: 'online', invoices: 'offline' });

test('a valid file shows its counts', async () => {
  const text = await check(valid, 'text');
  assert.is(text.code, 0);
  assert.match(text.stdout, /^Valid\. .* declares 2 publications in 2 environments\.\n$/);
  assert.equal(JSON.parse((await check(valid, 'json')).stdout), { format: 1, valid: true, publications: 2, environments: 2 });
});

test('a valid file has no annotations, and a SARIF log without results', async () => {
  assert.match((await check(valid, 'github')).stdout, /^Valid\. /);
  const { runs } = JSON.parse((await check(valid, 'sarif')).stdout) as { runs: { results: unknown[] }[] };
  assert.equal(runs[0]?.results, []);
});

test('the errors of an invalid file go to stdout', async () => {
  const broken = valid.replace('online', 'onlin');
  const text = await check(broken, 'text');
  assert.is(text.code, 3);
  assert.match(text.stdout, 'did you mean `online`?');
  assert.is((JSON.parse((await check(broken, 'json')).stdout) as { errors: unknown[] }).errors.length, 1);
});

test.run();
