import { readFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { schema } from '../../src/cli/schema.ts';
import { testContext } from '../support/streams.ts';

for (const [options, path] of [
  [{}, 'spec/edict.schema.json'],
  [{ included: true }, 'generated/edict-included.schema.json'],
] as const) {
  test(`prints ${path}`, async () => {
    const { context, stdout } = testContext();
    assert.is(await schema(options, context), 0);
    assert.is(stdout(), readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8'));
  });
}

test.run();
