import { readFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { schema } from '../../src/cli/schema.ts';
import { testContext } from '../support/streams.ts';

test('prints the schema of the specification', async () => {
  const { context, stdout } = testContext();
  assert.is(await schema(context), 0);
  assert.is(stdout(), readFileSync(new URL('../../spec/edict.schema.json', import.meta.url), 'utf8'));
});

test.run();
