import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { runPlan } from '../../../src/cli/commands/plan.ts';
import { testContext } from '../../support/streams.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const file = 'examples/quickstart/edict.yaml';
const state = 'sqlite:nowhere.db';

test('shows the plan in each format with exit code 0', async () => {
  for (const [format, part] of [
    ['text', 'Goes online (5)'],
    ['json', '"format": 1'],
    ['markdown', '### edict'],
  ] as const) {
    const { context, stdout } = testContext();
    assert.is(await runPlan(file, { state, format }, context), 0);
    assert.match(stdout(), part);
  }
});

test('--detailed-exitcode reports changes', async () => {
  assert.is(await runPlan(file, { state, format: 'text', detailedExitcode: true }, testContext().context), 2);
});

test('plan and exit code are limited to the targets', async () => {
  const { context, stdout } = testContext();
  assert.is(await runPlan(file, { state, api: ['pay*'], format: 'text', detailedExitcode: true }, context), 2);
  assert.match(stdout(), 'Goes online (1)');
  assert.match(stdout(), 'Only --api pay*: 4 changes left out.');
  const none = { state, api: ['payments'], environment: ['release'] };
  assert.is(await runPlan(file, { ...none, format: 'text', detailedExitcode: true }, testContext().context), 0);
});

test('--out saves the plan and does not change the output of any format', async () => {
  const out = join(temporaryFolder(), 'release.plan');
  for (const format of ['text', 'json', 'markdown'] as const) {
    const [plain, saving] = [testContext(), testContext()];
    await runPlan(file, { state, format, emulate: true }, plain.context);
    assert.is(await runPlan(file, { state, format, emulate: true, out, detailedExitcode: true }, saving.context), 2);
    assert.is(saving.stdout(), plain.stdout());
    assert.match(
      saving.stderr(),
      `Saved to ${out}. To make exactly these changes: edict apply --plan ${out} examples/quickstart/edict.yaml --emulate --state sqlite:nowhere.db\n`,
    );
  }
  const { context, stdout } = testContext();
  await runPlan(file, { state, format: 'json', emulate: true, plan: out }, context);
  const shown = JSON.parse(stdout()) as { digest: string; savedPlan: unknown };
  assert.equal(shown.savedPlan, { applied: 0, notInPlan: 0 });
  assert.match(readFileSync(out, 'utf8'), `"digest":"${shown.digest}"`);
});

test.run();
