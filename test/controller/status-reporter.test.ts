import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { systemClock } from '../../src/app/context.ts';
import { StatusReporter } from '../../src/controller/status-reporter.ts';
import type { EdictEvent } from '../../src/model/events.ts';
import { openController } from '../support/controller-fixture.ts';

test('writes only what has changed, and reports the rate', async () => {
  await using fixture = await openController({ apis: ['orders'], limit: { calls: 10, perMs: 1000, concurrency: 1 } });
  const { gateway } = fixture.desire({});
  const events: EdictEvent[] = [];
  const deps = {
    store: fixture.store,
    rateLimiter: fixture.rateLimiter,
    clock: systemClock,
    emit: (event: EdictEvent) => events.push(event),
    failedProbes: () => [],
  };
  const report = new StatusReporter(gateway, { ...deps, onError: (error) => assert.unreachable(String(error)) });
  (await fixture.rateLimiter.acquire(new AbortController().signal))({
    kind: 'throttled',
    retryAfterMs: null,
    rateLimit: { calls: 5, perMs: 1000 },
  });
  fixture.rateLimiter.pause('credentials', 'no');
  report.update();
  await report.close();
  const condition = await fixture.store.status(gateway);
  assert.equal([condition?.calls, condition?.perMs, condition?.pid], [5, 1000, process.pid]);
  assert.equal([condition?.paused?.reason, condition?.paused?.message], ['credentials', 'no']);
  assert.equal(events, [{ type: 'rate:changed', calls: 5, perMs: 1000, limit: 10 }]);
});

test('a status that cannot be written is reported, and written later', async () => {
  await using fixture = await openController({ apis: ['orders'] });
  const { gateway } = fixture.desire({});
  const failures: unknown[] = [];
  let isFull = true;
  const store = Object.assign(Object.create(fixture.store) as typeof fixture.store, {
    saveStatus: (...args: Parameters<typeof fixture.store.saveStatus>) =>
      isFull ? Promise.reject(new Error('full')) : fixture.store.saveStatus(...args),
  });
  const deps = {
    store,
    rateLimiter: fixture.rateLimiter,
    clock: systemClock,
    emit: () => {},
    failedProbes: () => [],
    onError: (error: unknown) => failures.push(error),
  };
  const report = new StatusReporter(gateway, deps);
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.is(failures.length, 1);
  isFull = false;
  report.update();
  await report.close();
  assert.is((await fixture.store.status(gateway))?.calls, 1000);
});

test.run();
