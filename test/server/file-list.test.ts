import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { diffStates } from '../../src/plan/diff.ts';
import { daemonStatusJson } from '../../src/server/daemon-status.ts';
import { fileListJson } from '../../src/server/file-list.ts';
import { StatusCache } from '../../src/server/status-cache.ts';
import { change, desiredState, wanted } from '../support/states.ts';

const daemonInfo = { version: '1', file: 'shop & sons.yaml', approveCommand: () => null };

test('each file is listed with its page and its status', () => {
  const statusCache = new StatusCache(Date.now);
  const shown = () => fileListJson([{ pathPrefix: 'shop', daemonInfo, statusCache }]).files[0];
  assert.equal(shown(), { path: 'shop & sons.yaml', page: '/shop/', headline: 'starting', gateway: null, emulated: false });
  const desired = desiredState([wanted('orders', 'test'), wanted('carts', 'test')]);
  statusCache.emit({ type: 'file:loaded', desired });
  const plan = diffStates(desired, new Map());
  statusCache.emit({ type: 'plan:computed', reconcileId: 'p', cause: 'startup', plan, recorded: new Map() });
  assert.is(shown()?.headline, '2 going online, 0 unchanged; gateway never checked.');
  const changes = [change('orders', 'test', { held: { rule: 'protected', message: '', hint: '' } })];
  statusCache.emit({ type: 'plan:computed', reconcileId: 'p', cause: 'startup', plan: { ...plan, changes }, recorded: new Map() });
  assert.is(shown()?.headline, '1 held, 0 unchanged; gateway never checked.');
  assert.equal(shown()?.gateway, { endpoint: plan.gateway.endpoint, project: 'project', instance: 'instance' });
  const suspension = { by: 'ada', reason: 'INC-7', sinceMs: Date.UTC(2026, 10, 20), untilMs: null };
  const emitPlan = (suspended: typeof suspension | null) =>
    statusCache.emit({
      type: 'plan:computed',
      reconcileId: 'p',
      cause: 'suspension',
      plan: { ...plan, suspension: suspended },
      recorded: new Map(),
    });
  emitPlan(suspension);
  const suspended = 'No calls are made: suspended by ada since 2026-11-20T00:00:00Z (INC-7).';
  assert.is(shown()?.headline, `2 going online, 0 unchanged; gateway never checked. · ${suspended}`);
  statusCache.emit({ type: 'file:unreadable', message: 'gone' });
  assert.is(shown()?.headline, `gone · ${suspended}`);
  emitPlan(null);
  statusCache.emit({ type: 'file:unreadable', message: 'the file <x> is not there' });
  assert.is(shown()?.headline, 'the file <x> is not there');
});

test('an emulated gateway is named as one', () => {
  const statusCache = new StatusCache(Date.now);
  const emulated = { ...daemonInfo, isEmulated: true };
  assert.is(fileListJson([{ pathPrefix: '', daemonInfo: emulated, statusCache }]).files[0]?.emulated, true);
  assert.is(daemonStatusJson(statusCache, {}, emulated).emulated, true);
  assert.is(daemonStatusJson(statusCache, {}, daemonInfo).emulated, false);
});

test.run();
