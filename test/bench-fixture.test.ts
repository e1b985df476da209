import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { writeFixture } from './bench/fixture.ts';
import { edict, scratchFolder } from './support/edict-process.ts';

/*
 * The fixture of `npm run bench`; the bench itself is not part of the tests.
 */
test('a generated file and its record are in sync', async () => {
  const folder = scratchFolder();
  const { file, state } = await writeFixture(folder, { publications: 60 });
  const { code, stdout, stderr } = await edict(['plan', file, '--state', state, '--detailed-exitcode'], folder);
  assert.is(code, 0, `${stdout}${stderr}`);
  assert.match(stdout, 'In sync. 60 publications');
});

test.run();
