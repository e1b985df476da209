import { readFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { printSchema, schemaPaths } from '../../../src/cli/commands/schema.ts';
import { runCli } from '../../../src/cli/program.ts';
import { testContext } from '../../support/streams.ts';

const paths = {
  file: 'spec/edict.schema.json',
  included: 'generated/edict-included.schema.json',
  plan: 'spec/plan.schema.json',
  apply: 'generated/edict-apply.schema.json',
  notification: 'generated/edict-notification.schema.json',
} as const;

for (const of of Object.keys(schemaPaths) as (keyof typeof schemaPaths)[]) {
  test(`prints the schema of ${of}`, () => {
    const { context, stdout } = testContext();
    assert.is(printSchema(of, context), 0);
    assert.is(stdout(), readFileSync(new URL(`../../../${paths[of]}`, import.meta.url), 'utf8'));
  });
}

test('the default is the schema of the file, and an unknown document is an error', async () => {
  const { context, stdout, stderr } = testContext();
  assert.is(await runCli(['schema'], context), 0);
  assert.is((JSON.parse(stdout()) as { title: string }).title, 'edict file');
  assert.is(await runCli(['schema', 'plans'], context), 1);
  assert.match(stderr(), 'file, included, plan, apply, notification');
});

test.run();
