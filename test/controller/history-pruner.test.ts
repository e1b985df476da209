import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { HistoryPruner } from '../../src/controller/history-pruner.ts';
import { StoreError } from '../../src/model/errors.ts';
import type { EdictEvent } from '../../src/model/events.ts';
import type { PrunedBatch } from '../../src/store/interface.ts';
import { gatewaySettings } from '../support/states.ts';

const gateway = gatewaySettings();
const unending = new AbortController().signal;
const dayMs = 24 * 3_600_000;

/** A store with so many attempts to delete, a few at a time, and a clock that does not wait. */
function scene(retentionMs: number | null, attempts: number) {
  const time = { nowMs: 100 * dayMs };
  const events: EdictEvent[] = [];
  const asked: number[] = [];
  const left = { attempts, publications: 3 };
  const pruneHistory = async (_: unknown, { beforeMs, afterId }: { beforeMs: number; afterId: number }): Promise<PrunedBatch> => {
    asked.push(beforeMs);
    assert.ok(afterId === 0 || afterId === attempts - left.attempts, 'it goes on where it was');
    const count = Math.min(2, left.attempts);
    left.attempts -= count;
    return { count, lastId: count === 0 ? null : attempts - left.attempts };
  };
  const pruneApprovals = async (): Promise<void> => assert.is(left.attempts, 0, 'their attempts are deleted before');
  const pruneRecordedState = async (): Promise<number> => {
    if (left.publications === 0) return 0;
    assert.is(left.attempts, attempts, 'their last attempts are kept as long as they are');
    left.publications -= 1;
    return 1;
  };
  const clock = { now: () => time.nowMs, monotonicMs: () => time.nowMs, sleep: async () => undefined };
  const deps = {
    store: { pruneHistory, pruneApprovals, pruneRecordedState },
    clock,
    emit: (event: EdictEvent) => void events.push(event),
    retentionMs,
  };
  return { tidying: new HistoryPruner(deps), deps, time, events, asked, left };
}

test('deletes old history once a day and reports how many attempts it deleted', async () => {
  const { tidying, time, events, asked, left } = scene(30 * dayMs, 5);
  await tidying.prune(gateway, unending);
  assert.equal([left.attempts, left.publications, asked], [0, 0, [70, 70, 70, 70].map((day) => day * dayMs)]);
  assert.equal(events, [{ type: 'history:pruned', attemptCount: 5, beforeMs: 70 * dayMs }]);
  await tidying.prune(gateway, unending);
  assert.is(asked.length, 4);
  time.nowMs += dayMs;
  await tidying.prune(gateway, unending);
  assert.equal([asked.length, events.length], [5, 1]);
});

test('deletes nothing unless a retention is set', async () => {
  const { tidying, asked } = scene(null, 5);
  await tidying.prune(gateway, unending);
  assert.equal(asked, []);
});

test('a store failure is reported and stops nothing', async () => {
  const { deps, events } = scene(1, 5);
  const failing = {
    ...deps,
    store: { ...deps.store, pruneHistory: () => Promise.reject(new StoreError('STORE_FULL', 'the disk is full')) },
  };
  await new HistoryPruner(failing).prune(gateway, unending);
  assert.equal(events, [{ type: 'store:error', reconcileId: '', message: 'the disk is full' }]);
});

test.run();
