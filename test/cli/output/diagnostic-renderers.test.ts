import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { diagnosticRenderers } from '../../../src/cli/output/errors.ts';
import { edict } from '../../support/edict-command.ts';
import { fileOf, scratchFolder } from '../../support/edict-process.ts';

const broken = fileOf('https://roma.example.com', { orders: 'onlin', carts: 'oflin' });

function folderWith(text: string): string {
  const folder = scratchFolder();
  writeFileSync(join(folder, 'edict.yaml'), text);
  return folder;
}

test('every format has the same exit code and all errors for an invalid file', async () => {
  const folder = folderWith(broken);
  for (const format of Object.keys(diagnosticRenderers)) {
    const { code, stdout } = await edict(['validate', '--format', format], folder);
    assert.is(code, 3, format);
    assert.is(stdout.match(/(expected online or offline)/g)?.length, 2, stdout);
  }
});

test('a plan of an invalid or missing file is annotated too', async () => {
  const folder = folderWith(broken);
  const { code, stdout } = await edict(['plan', '--format=github'], folder);
  assert.is(code, 3);
  assert.is(stdout.match(/^::error file=edict\.yaml,line=\d+,endLine=\d+,col=\d+,endColumn=\d+,title=/gm)?.length, 2, stdout);
  const absent = await edict(['plan', 'none.yaml', '--format', 'github'], folder);
  assert.equal([absent.code, absent.stdout.startsWith('::error title=edict%3A FILE_NOT_FOUND::')], [3, true]);
});

test('a missing file is a failed run in SARIF', async () => {
  const { code, stdout } = await edict(['validate', 'none.yaml', '--format', 'sarif'], scratchFolder());
  const { runs } = JSON.parse(stdout) as { runs: [{ invocations: [{ executionSuccessful: boolean }] }] };
  assert.equal([code, runs[0].invocations[0].executionSuccessful], [3, false]);
});

test('an API named like a format does not select the format', async () => {
  const { stdout } = await edict(['plan', 'none.yaml', '--api', 'json'], scratchFolder());
  assert.is(stdout, '');
});

test.run();
