import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { InvalidFileError } from '../../src/model/errors.ts';
import type { EdictEvent } from '../../src/model/events.ts';
import { diffStates } from '../../src/plan/diff.ts';
import { computeStatusCell } from '../../src/plan/status.ts';
import { type ChangeScope, publicationKeysOf, StatusCache } from '../../src/server/status-cache.ts';
import { change, desiredState, gatewaySettings, reconcileSummary, recorded, recordedState, wanted } from '../support/states.ts';

const desired = desiredState([wanted('orders', 'test'), wanted('carts', 'test')]);
const was = recordedState([recorded('carts', 'test')]);
const accepted: EdictEvent = { type: 'file:loaded', desired };
const planned: EdictEvent = { type: 'plan:computed', reconcileId: 'p', cause: 'file', plan: diffStates(desired, was), recorded: was };
const orders = change('orders', 'test');
const failure = { code: 'APIG.9999', status: 500, message: 'System error', hint: null, requestId: null, retryAfterMs: null };
const begun: EdictEvent = { type: 'attempt:started', reconcileId: 'p', attemptId: 7, change: orders };
const attemptFinished = (outcome: Extract<EdictEvent, { type: 'attempt:finished' }>['outcome']): EdictEvent => {
  return { type: 'attempt:finished', reconcileId: 'p', attemptId: 7, change: orders, outcome, isRecorded: true, durationMs: 5 };
};
const succeeded = attemptFinished({ kind: 'succeeded', versionId: 'v1', publishId: null });

function boardAfter(...events: readonly EdictEvent[]): StatusCache {
  const board = new StatusCache(() => 1000);
  for (const event of events) board.emit(event);
  return board;
}

const statusesOn = (board: StatusCache) => {
  const { matrix } = board;
  return [...publicationKeysOf(board)].map((key) => (matrix ? computeStatusCell(key, matrix)?.status : null));
};

test('is empty before the first plan', () => {
  assert.is(boardAfter(accepted).matrix, null);
  assert.equal(statusesOn(boardAfter()), []);
});

test('an attempt is followed from start to finish', () => {
  assert.equal(statusesOn(boardAfter(accepted, planned)), ['pending', 'unchanged']);
  const flying = boardAfter(accepted, planned, begun);
  assert.equal([flying.inFlight, statusesOn(flying)], [1, ['pending', 'unchanged']]);
  const done = boardAfter(accepted, planned, begun, succeeded);
  assert.equal([done.inFlight, statusesOn(done)], [0, ['unchanged', 'unchanged']]);
  assert.is(done.matrix?.recorded.get(orders.key)?.versionId, 'v1');
  const failed = boardAfter(accepted, planned, begun, attemptFinished({ kind: 'retryable', failure }));
  assert.equal(statusesOn(failed), ['failed', 'unchanged']);
});

test('it does not matter whether the status was read before', () => {
  const board = boardAfter(accepted, planned);
  assert.equal(statusesOn(board), ['pending', 'unchanged']);
  board.emit(begun);
  board.emit(succeeded);
  assert.equal(statusesOn(board), ['unchanged', 'unchanged']);
});

test('the recorded state behind a plan is not changed', () => {
  boardAfter(accepted, planned, begun, succeeded).matrix;
  assert.is(was.size, 1);
});

test('a newer file shows with its plan, not before', () => {
  const board = boardAfter(accepted, planned, { type: 'file:loaded', desired: desiredState([]) });
  assert.is(board.matrix?.desired, desired);
});

test('the last attempt of an earlier process shows where this one made none', () => {
  const board = boardAfter(accepted, planned);
  const earlier = { id: 3, action: 'online', revision: null, outcome: 'rejected', code: 'X', message: '', startedAtMs: 1 } as const;
  board.addLastAttempts(new Map([[orders.key, earlier]]));
  assert.equal(statusesOn(board), ['failed', 'unchanged']);
  board.emit(begun);
  board.addLastAttempts(new Map([[orders.key, earlier]]));
  assert.equal(statusesOn(board), ['pending', 'unchanged']);
});

test('an error in the file stays until the file is valid', () => {
  const diagnostic = {
    rule: 'invalid-value',
    file: 'edict.yaml',
    line: 1,
    column: 1,
    length: 1,
    message: 'wrong',
    hint: null,
    excerpt: { text: 'x', column: 1 },
  } as const;
  const board = boardAfter(accepted, { type: 'file:invalid', error: new InvalidFileError('edict.yaml', [diagnostic]) });
  assert.equal(board.fileError, { message: 'edict.yaml has 1 error', diagnostics: [diagnostic] });
  board.emit({ type: 'file:unreadable', message: 'edict.yaml is not there' });
  assert.equal(board.fileError, { message: 'edict.yaml is not there', diagnostics: [] });
  board.emit(accepted);
  assert.is(board.fileError, null);
});

test('a reconciliation is one entry, however often it plans again', () => {
  const started: EdictEvent = { type: 'reconcile:started', reconcileId: 'p', cause: 'file' };
  const summary = reconcileSummary({ online: 1, unchanged: 1, durationMs: 5 });
  const board = boardAfter(started, { ...started, cause: 'rollout' }, { type: 'reconcile:finished', reconcileId: 'p', summary });
  assert.equal(board.reconciliations, [{ id: 'p', cause: 'file', startedAtMs: 1000, result: summary }]);
  for (let index = 0; index < 50; index += 1) board.emit({ ...started, reconcileId: String(index) });
  assert.equal([board.reconciliations.length, board.reconciliations[0]?.id], [20, '49']);
});

test('the rate and the pauses are the last reported ones', () => {
  const board = boardAfter(
    { type: 'rate:changed', calls: 4, perMs: 1000, limit: 10 },
    { type: 'requests:paused', reason: 'outage', message: 'gone' },
  );
  assert.equal(
    [board.rate, board.paused],
    [
      { calls: 4, perMs: 1000 },
      { reason: 'outage', message: 'gone', sinceMs: 1000 },
    ],
  );
  board.emit({ type: 'requests:resumed' });
  assert.is(board.paused, null);
});

test('with another limit the rate is that limit again', () => {
  const slow: EdictEvent = { type: 'rate:changed', calls: 4, perMs: 1000, limit: 10 };
  const board = boardAfter(accepted, slow, { type: 'file:loaded', desired: desiredState([]) });
  assert.equal(board.rate, { calls: 4, perMs: 1000 }, 'the gateway has the same settings');
  const faster = gatewaySettings({ limit: { calls: 20, perMs: 1000, concurrency: 4 } });
  board.emit({ type: 'file:loaded', desired: desiredState([], { gateway: faster }) });
  assert.is(board.rate, null);
});

test('a subscriber gets every change until it unsubscribes', () => {
  const board = new StatusCache(() => 1000);
  const received: ChangeScope[] = [];
  const leave = board.subscribe((touched) => received.push(touched));
  for (const event of [accepted, planned, begun]) board.emit(event);
  board.emit({ type: 'store:waiting', message: '' });
  leave();
  board.emit(succeeded);
  assert.equal(received, ['live', 'all', orders.key]);
});

test.run();
