import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { publicationStatuses as known } from '../../src/plan/status.ts';
import { cellStyle, type GridCell, statusClass, statusOrder, statusSign } from '../../src/ui/status-styles.ts';

const cell = (over: Partial<GridCell>): GridCell => ({
  ...{ api: 'orders', apiId: 'api-orders', environmentId: 'env-test', standing: 'in sync', desired: 'online' },
  ...{ recorded: 'online', observed: null, message: '' },
  ...over,
});

test('the page knows every standing that there is, each with a sign and a class of its own', () => {
  assert.equal([...statusOrder].sort(), [...known].sort());
  for (const shown of [statusSign, statusClass]) assert.is(new Set(statusOrder.map(shown)).size, statusOrder.length);
});

for (const [given, expected] of [
  [cell({}), '✓ online'],
  [cell({ desired: 'offline', recorded: null }), '✓ offline'],
  [cell({ standing: 'kept', desired: null }), '· online not in file'],
  [cell({ standing: 'changing', recorded: null }), '▲ changing new → online'],
  [cell({ standing: 'changing', desired: 'offline' }), '▼ changing online → offline'],
  [cell({ standing: 'changing', desired: null }), '▼ changing online → offline'],
  [cell({ standing: 'held', desired: 'offline' }), '■ held online → offline'],
  [cell({ standing: 'frozen' }), '❄ frozen again'],
  [cell({ standing: 'drifted', recorded: 'offline', observed: 'offline' }), '≠ drifted offline'],
  [cell({ standing: 'stale' }), '○ stale online'],
] as const) {
  test(`shows ${expected}`, () => {
    const { sign, label, detail } = cellStyle(given);
    assert.is(`${sign} ${label} ${detail}`.trim(), expected);
  });
}

test.run();
