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

function liveAfter(...events: readonly EdictEvent[]) {
  const board = new StatusCache(() => 0);
  for (const event of events) board.emit(event);
  return daemonStatusJson(board, {}, about);
}

test('before the first file there is little to say', () => {
  const live = liveAfter();
  assert.equal([live.gateway, live.summary, live.release, live.environments, live.passes], [null, null, null, [], []]);
  assert.equal(live.file, { path: 'edict.yaml', acceptedAt: null, complaint: null, mistakes: [] });
  assert.equal([live.queue.left, live.queue.secondsToGo, live.queue.slowedBy], [0, null, null]);
});

test('says what is left to do, how long it takes at the present rate, and what slows it', () => {
  const { queue } = liveAfter(...start);
  assert.equal([queue.left, queue.secondsToGo, queue.slowedBy], [31, 3, 'the file’s limit: 10 per 1 s']);
  const slower = liveAfter(...start, { type: 'rate:changed', calls: 5, perMs: 1000, limit: 10 }).queue;
  assert.equal([slower.secondsToGo, slower.slowedBy], [6, 'the gateway asks for less: 5 per 1 s of 10 per 1 s']);
  const stopped = liveAfter(...start, { type: 'requests:paused', reason: 'outage', message: 'nobody answers' }).queue;
  assert.equal([stopped.secondsToGo, stopped.slowedBy], [null, 'nobody answers']);
  assert.equal(stopped.stopped, { why: 'outage', message: 'nobody answers', since: '1970-01-01T00:00:00Z' });
});

test('an environment that left the file is there as long as something is recorded in it', () => {
  const names = liveAfter(...start).environments.map(({ name }) => name);
  assert.equal(names, ['test', 'release', 'left']);
});

test('the command that releases what is held is said where something is', () => {
  assert.is(liveAfter(...start).release, 'edict approve sha256:0');
});

test.run();
