import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { plan } from '../../src/core/plan.ts';
import { Board } from '../../src/server/board.ts';
import { overview } from '../../src/server/overview.ts';
import { change, desiredState, wanted } from '../support/states.ts';

const about = { version: '1', file: 'shop & sons.yaml', release: () => null };

test('leads to the page of each file, and says how it stands with it', () => {
  const board = new Board(Date.now);
  const shown = (): string => overview([{ name: 'shop', about, board }]);
  assert.match(shown(), '<a href="/shop/">shop &amp; sons.yaml</a></th><td>starting</td>');
  const desired = desiredState([wanted('orders', 'test'), wanted('carts', 'test')]);
  board.emit({ type: 'file:accepted', desired });
  const made = plan(desired, new Map());
  board.emit({ type: 'plan:made', passId: 'p', cause: 'start', plan: made, recorded: new Map() });
  assert.match(shown(), '<td>2 to do</td>');
  const changes = [change('orders', 'test', { held: { rule: 'protected', message: '', hint: '' } })];
  board.emit({ type: 'plan:made', passId: 'p', cause: 'start', plan: { ...made, changes }, recorded: new Map() });
  assert.match(shown(), '<td>something is held</td>');
  assert.match(shown(), `<td>${made.gateway.endpoint}, instance instance</td>`);
  board.emit({ type: 'file:missed', message: 'the file <x> is not there' });
  assert.match(shown(), '<td>the file &lt;x&gt; is not there</td>');
});

test.run();
