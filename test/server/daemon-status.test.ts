import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { EdictEvent } from '../../src/model/events.ts';
import { diffStates } from '../../src/plan/diff.ts';
import { daemonStatusJson } from '../../src/server/daemon-status.ts';
import { StatusCache } from '../../src/server/status-cache.ts';
import { desiredState, recorded, recordedState, wanted } from '../support/states.ts';

const about = { version: '1.2.3', file: 'edict.yaml', approveCommand: () => 'edict approve sha256:0' };
const names = Array.from({ length: 31 }, (_, index) => `api${index}`);
const desired = desiredState(names.map((name) => wanted(name, 'test')));
const was = recordedState([recorded('old', 'left')]);
const start: readonly EdictEvent[] = [
  { type: 'file:loaded', desired },
  { type: 'plan:computed', reconcileId: 'p', cause: 'startup', plan: diffStates(desired, was), recorded: was },
];

function statusAfter(...events: readonly EdictEvent[]) {
  const board = new StatusCache(() => 0);
  for (const event of events) board.emit(event);
  return daemonStatusJson(board, {}, about);
}

test('before the first file is loaded, the status is empty', () => {
  const status = statusAfter();
  assert.equal(
    [status.gateway, status.summary, status.approveCommand, status.environments, status.reconciliations],
    [null, null, null, [], []],
  );
  assert.equal(status.file, { path: 'edict.yaml', loadedAt: null, error: null, errors: [] });
  assert.equal([status.queue.remaining, status.queue.remainingSeconds, status.queue.bottleneck], [0, null, null]);
});

test('the queue has the pending changes, the remaining time at the current rate, and the bottleneck', () => {
  const { queue } = statusAfter(...start);
  assert.equal([queue.remaining, queue.remainingSeconds, queue.bottleneck], [31, 3, 'limit in the file: 10 calls/s']);
  const slower = statusAfter(...start, { type: 'rate:changed', calls: 5, perMs: 1000, limit: 10 }).queue;
  assert.equal([slower.remainingSeconds, slower.bottleneck], [6, 'throttled by the gateway: 5 calls/s of 10 calls/s']);
  const paused = statusAfter(...start, { type: 'requests:paused', reason: 'outage', message: 'nobody answers' }).queue;
  assert.equal([paused.remainingSeconds, paused.bottleneck], [null, 'nobody answers']);
  assert.equal(paused.paused, { reason: 'outage', message: 'nobody answers', since: '1970-01-01T00:00:00Z' });
});

test('an environment that was removed from the file is listed while something is recorded in it', () => {
  const names = statusAfter(...start).environments.map(({ name }) => name);
  assert.equal(names, ['test', 'release', 'left']);
});

test('the approve command is set while something is held', () => {
  assert.is(statusAfter(...start).approveCommand, 'edict approve sha256:0');
});

test.run();
