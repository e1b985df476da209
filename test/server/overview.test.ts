import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { diffStates } from '../../src/plan/diff.ts';
import { daemonStatusJson } from '../../src/server/daemon-status.ts';
import { renderOverview } from '../../src/server/overview.ts';
import { StatusCache } from '../../src/server/status-cache.ts';
import { change, desiredState, wanted } from '../support/states.ts';

const daemonInfo = { version: '1', file: 'shop & sons.yaml', approveCommand: () => null };

test('the overview links to the page of each file and shows its status', () => {
  const statusCache = new StatusCache(Date.now);
  const shown = (): string => renderOverview([{ pathPrefix: 'shop', daemonInfo, statusCache }]);
  assert.match(shown(), '<a href="/shop/">shop &amp; sons.yaml</a></th><td>starting</td>');
  const desired = desiredState([wanted('orders', 'test'), wanted('carts', 'test')]);
  statusCache.emit({ type: 'file:loaded', desired });
  const plan = diffStates(desired, new Map());
  statusCache.emit({ type: 'plan:computed', reconcileId: 'p', cause: 'startup', plan, recorded: new Map() });
  assert.match(shown(), '<td>2 going online, 0 unchanged; gateway never checked.</td>');
  const changes = [change('orders', 'test', { held: { rule: 'protected', message: '', hint: '' } })];
  statusCache.emit({ type: 'plan:computed', reconcileId: 'p', cause: 'startup', plan: { ...plan, changes }, recorded: new Map() });
  assert.match(shown(), '<td>1 held, 0 unchanged; gateway never checked.</td>');
  assert.match(shown(), `<td>${plan.gateway.endpoint}, instance instance</td>`);
  statusCache.emit({ type: 'file:unreadable', message: 'the file <x> is not there' });
  assert.match(shown(), '<td>the file &lt;x&gt; is not there</td>');
});

test('an emulated gateway is named as one', () => {
  const statusCache = new StatusCache(Date.now);
  const desired = desiredState([]);
  const plan = diffStates(desired, new Map());
  statusCache.emit({ type: 'file:loaded', desired });
  statusCache.emit({ type: 'plan:computed', reconcileId: 'p', cause: 'startup', recorded: new Map(), plan });
  const emulated = { ...daemonInfo, isEmulated: true };
  assert.match(
    renderOverview([{ pathPrefix: 'shop', daemonInfo: emulated, statusCache }]),
    'emulated gateway in place of https://roma.example.com',
  );
  assert.is(daemonStatusJson(statusCache, {}, emulated).emulated, true);
  assert.is(daemonStatusJson(statusCache, {}, daemonInfo).emulated, false);
});

test.run();
