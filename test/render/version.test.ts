import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { readVersion } from '../../src/render/version.ts';
import { edict } from '../support/edict-process.ts';

test('is the one in package.json, and the output of --version', async () => {
  assert.match(readVersion(), /^\d+\.\d+\.\d+/);
  assert.is((await edict(['--version'], '.')).stdout, `${readVersion()}\n`);
});

test.run();
