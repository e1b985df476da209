import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { showPlan } from '../../src/cli/plan.ts';
import { settingsFrom } from '../../src/config.ts';
import { testContext } from '../support/streams.ts';

const settings = settingsFrom('examples/quickstart/edict.yaml', { state: 'sqlite:nowhere.db' });

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

test.run();
