import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { EngineEvent } from '../../src/core/events.ts';
import { plan } from '../../src/core/plan.ts';
import { QueueTimes } from '../../src/telemetry/queue-times.ts';
import { change, desiredState, wanted } from '../support/states.ts';

const desired = desiredState([wanted('orders', 'test'), wanted('carts', 'test')]);
const accepted: EngineEvent = { type: 'file:accepted', desired };
const planned: EngineEvent = { type: 'plan:made', passId: 'p', cause: 'file', plan: plan(desired, new Map()), recorded: new Map() };
const begun: EngineEvent = { type: 'attempt:begun', passId: 'p', attemptId: 1, change: change('orders', 'test') };
const failure = { code: 'X', status: 500, message: '', hint: null, requestId: null, pauseMs: null };
const settled = (kind: 'succeeded' | 'retry'): EngineEvent => ({
  ...{ type: 'attempt:settled', passId: 'p', attemptId: 1, change: change('orders', 'test'), tookMs: 1 },
  outcome: kind === 'retry' ? { kind, failure } : { kind, versionId: null, publishId: null },
});
const finished = (failed: number): EngineEvent => ({
  type: 'pass:finished',
  passId: 'p',
  summary: { online: 1, offline: 0, unchanged: 0, held: 0, waiting: 0, failed, tookMs: 1 },
});

function open() {
  const time = { ms: 0 };
  const times = new QueueTimes(() => time.ms);
  const hear = (atMs: number, event: EngineEvent) => {
    time.ms = atMs;
    return times.hear(event);
  };
  return { times, hear };
}

test('a change waits from the plan that first asked for it until its first call', () => {
  const { times, hear } = open();
  hear(0, planned);
  hear(1000, planned);
  assert.is(times.queued, 2);
  assert.equal(hear(3000, begun), { kind: 'waited', seconds: 3 });
  hear(3100, settled('retry'));
  assert.equal([hear(9000, begun), times.queued], [null, 2], 'a second try is no second wait');
  hear(9100, settled('succeeded'));
  assert.is(times.queued, 1);
});

test('what is wanted no more waits no more', () => {
  const { times, hear } = open();
  hear(0, planned);
  hear(1, { ...planned, plan: plan(desiredState([]), new Map()) } as EngineEvent);
  assert.equal([times.queued, hear(2, begun)], [0, null]);
});

test('a file has converged when a pass of its own plan leaves nothing', () => {
  const { hear } = open();
  hear(0, accepted);
  assert.is(hear(500, finished(0)), null, 'that was the pass of the file before');
  hear(1000, planned);
  assert.is(hear(2000, finished(1)), null);
  assert.equal(hear(9000, finished(0)), { kind: 'converged', seconds: 9 });
  assert.is(hear(9500, finished(0)), null, 'once');
});

test('the newest file counts', () => {
  const { hear } = open();
  hear(0, accepted);
  hear(4000, accepted);
  hear(4100, planned);
  assert.equal(hear(5000, finished(0)), { kind: 'converged', seconds: 1 });
});

test.run();
