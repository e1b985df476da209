import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { publicationStatuses as known } from '../../src/plan/status.ts';
import { cellStyle, type GridCell, statusOrder, statusSign } from '../../src/ui/status-styles.ts';

const cell = (over: Partial<GridCell>): GridCell => ({
  ...{ api: 'orders', apiId: 'api-orders', environmentId: 'env-test', status: 'unchanged', desired: 'online' },
  ...{ recorded: 'online', observed: null, message: '' },
  ...over,
});

test('the page knows every status, each with a sign of its own', () => {
  assert.equal([...statusOrder].sort(), [...known].sort());
  assert.is(new Set(statusOrder.map(statusSign)).size, statusOrder.length);
});

for (const [given, expected] of [
  [cell({}), '✓ online'],
  [cell({ desired: 'offline', recorded: null }), '✓ offline'],
  [cell({ status: 'unmanaged', desired: null }), '· online not in file'],
  [cell({ status: 'pending', recorded: null }), '▲ pending new → online'],
  [cell({ status: 'pending', desired: 'offline' }), '▼ pending online → offline'],
  [cell({ status: 'pending', desired: null }), '▼ pending online → offline'],
  [cell({ status: 'held', desired: 'offline' }), '■ held online → offline'],
  [cell({ status: 'deferred' }), '… deferred again'],
  [cell({ status: 'drifted', recorded: 'offline', observed: 'offline' }), '≠ drifted offline'],
  [cell({ status: 'outdated' }), '○ outdated online'],
] as const) {
  test(`shows ${expected}`, () => {
    const { sign, label, detail } = cellStyle(given);
    assert.is(`${sign} ${label} ${detail}`.trim(), expected);
  });
}

test.run();
