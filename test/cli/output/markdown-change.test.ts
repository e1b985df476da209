import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { changeCells, changeColumns } from '../../../src/cli/output/markdown-plan.ts';
import { change } from '../../support/states.ts';

test('a change has one cell per column', () => {
  const cells = changeCells(change('orders', 'test'), {});
  assert.equal(cells, ['`orders`', '`test`', 'new: edict has not published it yet', '`edict.yaml:1`']);
  assert.is(changeColumns({}).length, cells.length);
});

test('a held change has its reason, and a removed publication has no source', () => {
  const held = { rule: 'protected', message: 'release | is protected', hint: '' } as const;
  const cells = changeCells(change('orders', 'release', { action: 'offline', held, source: null }), {});
  assert.equal(cells.slice(2), ['offline: release &#124; is protected', '']);
});

test.run();
