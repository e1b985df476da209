import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { changeCells, changeColumns } from '../../../src/cli/output/markdown-plan.ts';
import { change } from '../../support/states.ts';

test('a change is told in as many cells as there are columns', () => {
  const cells = changeCells(change('orders', 'test'), {});
  assert.equal(cells, ['`orders`', '`test`', 'new: edict has not published it yet', '`edict.yaml:1`']);
  assert.is(changeColumns({}).length, cells.length);
});

test('what is held says why, and what has left the file has no place', () => {
  const held = { rule: 'protected', message: 'release | is protected', hint: '' } as const;
  const cells = changeCells(change('orders', 'release', { action: 'offline', held, source: null }), {});
  assert.equal(cells.slice(2), ['offline: release &#124; is protected', '']);
});

test.run();
