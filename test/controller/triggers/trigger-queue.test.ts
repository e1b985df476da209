import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { TriggerQueue } from '../../../src/controller/triggers/trigger-queue.ts';
import { StoreUnavailableError } from '../../../src/model/errors.ts';
import type { Store } from '../../../src/store/interface.ts';
import { openController } from '../../support/controller-fixture.ts';
import { until } from '../../support/edict-process.ts';

const test = suite('trigger queue');
const never = new AbortController().signal;
const notBefore = Number.POSITIVE_INFINITY;

/** A queue on a clock that advances only when somebody sleeps, and then at once. */
function opened() {
  const time = { ms: 1000 };
  const sleeps: number[] = [];
  const queue = new TriggerQueue({
    monotonicMs: () => time.ms,
    sleep: async (ms, signal) => {
      sleeps.push(ms);
      await new Promise((resolve) => setImmediate(resolve));
      if (!signal.aborted) time.ms += ms;
    },
  });
  return { queue, time, sleeps };
}

test('causes are coalesced, and each is due at the earliest requested time', async () => {
  const { queue, time } = opened();
  queue.trigger('retry', 500);
  queue.trigger('approval', 100);
  queue.trigger('retry', 300);
  queue.trigger('retry', 900);
  assert.equal([[...(await queue.next(notBefore, never))], time.ms], [['approval'], 1100]);
  assert.not.ok(queue.isEmpty);
  assert.equal([[...(await queue.next(notBefore, never))], time.ms], [['retry'], 1300]);
  assert.ok(queue.isEmpty);
});

test('debounced causes are due together once the quiet time has passed without another', async () => {
  const { queue, time } = opened();
  queue.debounce('file', 200);
  time.ms += 150;
  queue.debounce('requested', 200);
  assert.equal([[...(await queue.next(notBefore, never))].toSorted(), time.ms], [['file', 'requested'], 1350]);
});

test('continuous edits delay a debounced cause by five times the quiet time at most', async () => {
  const { queue, time } = opened();
  const waiting = queue.next(notBefore, never);
  for (let edits = 0; edits < 9; edits += 1) {
    queue.debounce('file', 200);
    time.ms += 100;
  }
  queue.debounce('file', 200);
  assert.equal([[...(await waiting)], time.ms], [['file'], 2000]);
});

test('without triggers a resync is due at its time, and no single sleep is longer than a minute', async () => {
  const { queue, time, sleeps } = opened();
  const dayMs = 30 * 24 * 3_600_000;
  assert.equal([...(await queue.next(1000 + dayMs, never))], ['resync']);
  assert.is(time.ms, 1000 + dayMs);
  assert.ok(sleeps.every((ms) => ms <= 60_000));
});

test('a wake-up and an abort end the wait without a cause', async () => {
  const { queue } = opened();
  const waiting = queue.next(notBefore, never);
  queue.wake();
  assert.is((await waiting).size, 0);
  const stop = new AbortController();
  const aborted = queue.next(notBefore, stop.signal);
  stop.abort();
  assert.is((await aborted).size, 0);
});

/** Returns a wrapper of a store whose recorded state cannot be read from the second time on, `times` times. */
function awayFor(times: number): (store: Store) => Store {
  let reads = 0;
  return (store) =>
    new Proxy(store, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name, target);
        if (typeof value !== 'function') return value;
        return (...args: unknown[]): unknown => {
          if (name !== 'readRecordedState') return Reflect.apply(value, target, args);
          reads += 1;
          const isAway = reads > 1 && reads <= 1 + times;
          return isAway ? Promise.reject(new StoreUnavailableError('away')) : Reflect.apply(value, target, args);
        };
      },
    });
}

const once = { status: 500, errorCode: 'APIG.9999', errorMsg: 'try again', times: 1, apiId: 'api-orders' };

test('a cause that is due while the store is unavailable is retried when it is back, without another trigger', async () => {
  await using fixture = await openController({ apis: ['orders'], wrapStore: awayFor(2) });
  fixture.emulator.faults.add(once);
  await fixture.controller.reconcile(fixture.desire({ orders: 'online' }), 'startup');
  await until('the store was unavailable', () => fixture.events.some((event) => event.type === 'store:error'));
  await fixture.controller.idle();
  assert.equal(fixture.requested(), ['orders online', 'orders online']);
  assert.is(fixture.events.filter((event) => event.type === 'store:error').length, 2);
});

test('an apply whose store stays unavailable still ends', async () => {
  await using fixture = await openController({ apis: ['orders'], wrapStore: awayFor(Number.POSITIVE_INFINITY), maxTries: 2 });
  fixture.emulator.faults.add(once);
  await fixture.controller.reconcile(fixture.desire({ orders: 'online' }), 'startup');
  await fixture.controller.idle();
  assert.equal(fixture.requested(), ['orders online']);
  assert.is(fixture.events.filter((event) => event.type === 'store:error').length, 2);
});

test.run();
