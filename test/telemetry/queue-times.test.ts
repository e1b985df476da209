import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { EdictEvent } from '../../src/model/events.ts';
import { diffStates } from '../../src/plan/diff.ts';
import { QueueTimes } from '../../src/telemetry/queue-times.ts';
import { change, desiredState, reconcileSummary, wanted } from '../support/states.ts';

const desired = desiredState([wanted('orders', 'test'), wanted('carts', 'test')]);
const accepted: EdictEvent = { type: 'file:loaded', desired };
const planned: EdictEvent = {
  type: 'plan:computed',
  reconcileId: 'p',
  cause: 'file',
  plan: diffStates(desired, new Map()),
  recorded: new Map(),
};
const begun: EdictEvent = { type: 'attempt:started', reconcileId: 'p', attemptId: 1, change: change('orders', 'test') };
const failure = { code: 'X', status: 500, message: '', hint: null, requestId: null, retryAfterMs: null };
const attemptFinished = (kind: 'succeeded' | 'retryable'): EdictEvent => ({
  ...{ type: 'attempt:finished', reconcileId: 'p', attemptId: 1, change: change('orders', 'test'), isRecorded: true, durationMs: 1 },
  outcome: kind === 'retryable' ? { kind, failure } : { kind, versionId: null, publishId: null },
});
const finished = (failed: number): EdictEvent => ({
  type: 'reconcile:finished',
  reconcileId: 'p',
  summary: reconcileSummary({ online: 1, failed, durationMs: 1 }),
});

function open() {
  const time = { ms: 0 };
  const times = new QueueTimes(() => time.ms);
  const record = (atMs: number, event: EdictEvent) => {
    time.ms = atMs;
    return times.record(event);
  };
  return { times, emit: record };
}

test('the queue time of a change is from the first plan that contains it to its first call', () => {
  const { times, emit } = open();
  emit(0, planned);
  emit(1000, planned);
  assert.is(times.queued, 2);
  assert.equal(emit(3000, begun), { kind: 'queued', seconds: 3 });
  emit(3100, attemptFinished('retryable'));
  assert.equal([emit(9000, begun), times.queued], [null, 2], 'a second try is no second wait');
  emit(9100, attemptFinished('succeeded'));
  assert.is(times.queued, 1);
});

test('a change that is no longer planned is not queued', () => {
  const { times, emit } = open();
  emit(0, planned);
  emit(1, { ...planned, plan: diffStates(desiredState([]), new Map()) } as EdictEvent);
  assert.equal([times.queued, emit(2, begun)], [0, null]);
});

test('a file is in sync when a reconciliation of its own plan leaves nothing', () => {
  const { emit } = open();
  emit(0, accepted);
  assert.is(emit(500, finished(0)), null, 'that was the reconciliation of the previous file');
  emit(1000, planned);
  assert.is(emit(2000, finished(1)), null);
  assert.equal(emit(9000, finished(0)), { kind: 'inSync', seconds: 9 });
  assert.is(emit(9500, finished(0)), null, 'once');
});

test('the newest file counts', () => {
  const { emit } = open();
  emit(0, accepted);
  emit(4000, accepted);
  emit(4100, planned);
  assert.equal(emit(5000, finished(0)), { kind: 'inSync', seconds: 1 });
});

test.run();
