import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { standings as known } from '../../src/core/matrix.ts';
import { type Cell, classOf, lookOf, signOf, standings } from '../../src/page/looks.ts';

const cell = (over: Partial<Cell>): Cell => ({
  ...{ api: 'orders', apiId: 'api-orders', environmentId: 'env-test', standing: 'in sync', desired: 'online' },
  ...{ recorded: 'online', observed: null, message: '' },
  ...over,
});

test('the page knows every standing that there is, each with a sign and a class of its own', () => {
  assert.equal([...standings].sort(), [...known].sort());
  for (const shown of [signOf, classOf]) assert.is(new Set(standings.map(shown)).size, standings.length);
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
    const { sign, word, to } = lookOf(given);
    assert.is(`${sign} ${word} ${to}`.trim(), expected);
  });
}

test.run();
