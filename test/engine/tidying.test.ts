import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { EdictError } from '../../src/core/errors.ts';
import type { EngineEvent } from '../../src/core/events.ts';
import { Tidying } from '../../src/engine/tidying.ts';
import { gatewaySettings } from '../support/states.ts';

const gateway = gatewaySettings();
const unending = new AbortController().signal;
const dayMs = 24 * 3_600_000;

/** A store with so many attempts to delete, a few at a time, and a clock that does not wait. */
function scene(keepMs: number | null, attempts: number) {
  const time = { nowMs: 100 * dayMs };
  const events: EngineEvent[] = [];
  const asked: number[] = [];
  const left = { attempts };
  const prune = async (_: unknown, beforeMs: number): Promise<number> => {
    asked.push(beforeMs);
    const count = Math.min(2, left.attempts);
    left.attempts -= count;
    return count;
  };
  const clock = { now: () => time.nowMs, monotonic: () => time.nowMs, sleep: async () => undefined };
  const deps = { store: { prune }, clock, emit: (event: EngineEvent) => void events.push(event), keepMs };
  return { tidying: new Tidying(deps), deps, time, events, asked, left };
}

test('deletes all that is too old once a day, and tells how much', async () => {
  const { tidying, time, events, asked, left } = scene(30 * dayMs, 5);
  await tidying.tidy(gateway, unending);
  assert.equal([left.attempts, asked], [0, [70, 70, 70, 70].map((day) => day * dayMs)]);
  assert.equal(events, [{ type: 'history:pruned', attempts: 5, beforeMs: 70 * dayMs }]);
  await tidying.tidy(gateway, unending);
  assert.is(asked.length, 4);
  time.nowMs += dayMs;
  await tidying.tidy(gateway, unending);
  assert.equal([asked.length, events.length], [5, 1]);
});

test('deletes nothing unless it was told to', async () => {
  const { tidying, asked } = scene(null, 5);
  await tidying.tidy(gateway, unending);
  assert.equal(asked, []);
});

test('a store that fails is told of, and ends nothing', async () => {
  const { deps, events } = scene(1, 5);
  const failing = { ...deps, store: { prune: () => Promise.reject(new EdictError('STORE_FULL', 'no room')) } };
  await new Tidying(failing).tidy(gateway, unending);
  assert.equal(events, [{ type: 'store:failed', passId: '', message: 'no room' }]);
});

test.run();
