import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parseSettings } from '../../../src/app/settings.ts';
import { showPlan } from '../../../src/cli/commands/plan.ts';
import { testContext } from '../../support/streams.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const settings = parseSettings('examples/quickstart/edict.yaml', { state: 'sqlite:nowhere.db' });

test('shows the plan in each format with exit code 0', async () => {
  for (const [format, part] of [
    ['text', 'Goes online (5)'],
    ['json', '"format": 1'],
    ['markdown', '### edict'],
  ] as const) {
    const { context, stdout } = testContext();
    assert.is(await showPlan(settings, { format }, context), 0);
    assert.match(stdout(), part);
  }
});

test('on request the exit code says that there are changes', async () => {
  assert.is(await showPlan(settings, { format: 'text', detailedExitcode: true }, testContext().context), 2);
});

test('of what is targeted alone, and the exit code is about that', async () => {
  const only = { ...settings, targets: { apis: ['pay*'], environments: [] } };
  const { context, stdout } = testContext();
  assert.is(await showPlan(only, { format: 'text', detailedExitcode: true }, context), 2);
  assert.match(stdout(), 'Goes online (1)');
  assert.match(stdout(), 'Only --api pay*: 4 changes left out.');
  const none = { ...settings, targets: { apis: ['payments'], environments: ['release'] } };
  assert.is(await showPlan(none, { format: 'text', detailedExitcode: true }, testContext().context), 0);
});

test('--out saves what is shown, and shows the same as without it in every format', async () => {
  const out = join(temporaryFolder(), 'release.plan');
  for (const format of ['text', 'json', 'markdown'] as const) {
    const [plain, saving] = [testContext(), testContext()];
    await showPlan(settings, { format }, plain.context);
    assert.is(await showPlan(settings, { format, out, detailedExitcode: true }, saving.context), 2);
    assert.is(saving.stdout(), plain.stdout());
    assert.match(
      saving.stderr(),
      `Saved to ${out}. To make exactly these changes: edict apply --plan ${out} examples/quickstart/edict.yaml --state sqlite:nowhere.db\n`,
    );
  }
  const { context, stdout } = testContext();
  await showPlan(settings, { format: 'json', plan: out }, context);
  const shown = JSON.parse(stdout()) as { digest: string; savedPlan: unknown };
  assert.equal(shown.savedPlan, { applied: 0, notInPlan: 0 });
  assert.match(readFileSync(out, 'utf8'), `"digest":"${shown.digest}"`);
});

test.run();
