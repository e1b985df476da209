import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { EngineEvent } from '../../src/core/events.ts';
import { ConditionReport } from '../../src/engine/condition-report.ts';
import { systemClock } from '../../src/engine/system-clock.ts';
import { workshop } from '../support/engine.ts';

test('writes what has changed, and tells of the rate', async () => {
  await using shop = await workshop({ apis: ['orders'], limit: { calls: 10, perMs: 1000, concurrency: 1 } });
  const { gateway } = shop.desire({});
  const events: EngineEvent[] = [];
  const deps = {
    store: shop.store,
    traffic: shop.traffic,
    clock: systemClock,
    emit: (event: EngineEvent) => events.push(event),
    failedProbes: () => [],
  };
  const report = new ConditionReport(gateway, { ...deps, onFailed: (error) => assert.unreachable(String(error)) });
  (await shop.traffic.admit(new AbortController().signal))({ kind: 'throttled', pauseMs: null, allowed: { calls: 5, perMs: 1000 } });
  shop.traffic.stop('credentials', 'no');
  report.changed();
  await report.close();
  const condition = await shop.store.condition(gateway);
  assert.equal([condition?.calls, condition?.perMs, condition?.pid], [5, 1000, process.pid]);
  assert.equal([condition?.stopped?.why, condition?.stopped?.message], ['credentials', 'no']);
  assert.equal(events, [{ type: 'rate:changed', calls: 5, perMs: 1000, limit: 10 }]);
});

test('a store that cannot be written is said, and written later', async () => {
  await using shop = await workshop({ apis: ['orders'] });
  const { gateway } = shop.desire({});
  const failures: unknown[] = [];
  let isFull = true;
  const store = Object.assign(Object.create(shop.store) as typeof shop.store, {
    describe: (...args: Parameters<typeof shop.store.describe>) =>
      isFull ? Promise.reject(new Error('full')) : shop.store.describe(...args),
  });
  const deps = {
    store,
    traffic: shop.traffic,
    clock: systemClock,
    emit: () => {},
    failedProbes: () => [],
    onFailed: (error: unknown) => failures.push(error),
  };
  const report = new ConditionReport(gateway, deps);
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.is(failures.length, 1);
  isFull = false;
  report.changed();
  await report.close();
  assert.is((await shop.store.condition(gateway))?.calls, 1000);
});

test.run();
