import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { version } from '../../src/words/version.ts';
import { edict } from '../support/edict-process.ts';

test('is the one in package.json, and what --version prints', async () => {
  assert.match(version(), /^\d+\.\d+\.\d+/);
  assert.is((await edict(['--version'], '.')).stdout, `${version()}\n`);
});

test.run();
