import { setTimeout as sleep } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { systemClock } from '../../../src/app/context.ts';
import { TriggerQueue } from '../../../src/controller/triggers/trigger-queue.ts';
import { StoreUnavailableError } from '../../../src/model/errors.ts';
import type { TriggerCause } from '../../../src/model/events.ts';
import type { Store } from '../../../src/model/ports.ts';
import { until } from '../../support/edict-process.ts';
import { workshop } from '../../support/engine.ts';

const test = suite('own passes');

/** Returns a store's wrap that cannot read the record from the second time on, `times` times. */
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

test('what is due while the store is away is tried again when it is back, though nothing else asks for a pass', async () => {
  await using shop = await workshop({ apis: ['orders'], wrapStore: awayFor(2) });
  shop.emulator.faults.add(once);
  await shop.engine.reconcile(shop.desire({ orders: 'online' }), 'startup');
  await until('the store was away', () => shop.events.some((event) => event.type === 'store:error'));
  await shop.engine.idle();
  assert.equal(shop.requested(), ['orders online', 'orders online']);
  assert.is(shop.events.filter((event) => event.type === 'store:error').length, 2);
});

test('an apply whose store stays away ends all the same', async () => {
  await using shop = await workshop({ apis: ['orders'], wrapStore: awayFor(Number.POSITIVE_INFINITY), maxTries: 2 });
  shop.emulator.faults.add(once);
  await shop.engine.reconcile(shop.desire({ orders: 'online' }), 'startup');
  await shop.engine.idle();
  assert.equal(shop.requested(), ['orders online']);
  assert.is(shop.events.filter((event) => event.type === 'store:error').length, 2);
});

test('one pass is made at a time, and what is asked for meanwhile is made once', async () => {
  const made: TriggerCause[] = [];
  let atOnce = 0;
  let ended = 0;
  const run = async (cause: TriggerCause): Promise<boolean> => {
    atOnce += 1;
    assert.is(atOnce, 1);
    await sleep(5);
    made.push(cause);
    atOnce -= 1;
    return true;
  };
  const passes = new TriggerQueue({
    run,
    clock: systemClock,
    random: () => 0,
    maxTries: 9,
    signal: new AbortController().signal,
    onDrained: () => (ended += 1),
  });
  passes.trigger('retry');
  for (const cause of ['retry', 'approval', 'retry', 'approval'] as const) passes.trigger(cause);
  assert.is(passes.isPending, true);
  await until('all is made', () => !passes.isPending);
  assert.equal(made, ['retry', 'retry', 'approval']);
  assert.is(ended, 1);
});

test('a stop ends the waiting', async () => {
  const stopping = new AbortController();
  let tried = 0;
  const run = async (): Promise<boolean> => {
    tried += 1;
    return false;
  };
  const passes = new TriggerQueue({
    run,
    clock: systemClock,
    random: () => 0,
    maxTries: Number.POSITIVE_INFINITY,
    signal: stopping.signal,
    onDrained: () => undefined,
  });
  passes.trigger('timer');
  await until('it was tried', () => tried === 1);
  stopping.abort();
  await passes.drained();
  assert.is(passes.isPending, false);
  assert.is(tried, 1);
});

test.run();
