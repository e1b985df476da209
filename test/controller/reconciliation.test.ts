import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { continueReconciliation, startReconciliation, summarizeReconciliation } from '../../src/controller/reconciliation.ts';
import type { Hold } from '../../src/model/approval.ts';
import { diffStates } from '../../src/plan/diff.ts';
import { change, desiredState } from '../support/states.ts';

const test = suite('reconciliation');
const held: Hold = { rule: 'protected', message: 'protected', hint: '' };
const waits = (untilMs: number | null) => ({ rule: 'freeze', message: 'frozen', untilMs }) as const;

function planOf(...changes: readonly ReturnType<typeof change>[]) {
  return { ...diffStates(desiredState([]), new Map()), changes };
}

test('starts with the held and the deferred changes; one that is both counts as held', () => {
  const changes = [change('a', 'test'), change('b', 'test', { held }), change('c', 'test', { deferred: waits(1) })];
  const run = startReconciliation(planOf(...changes, change('d', 'test', { held, deferred: waits(1) })), 'one', 5);
  assert.equal(run, { reconcileId: 'one', startedAtMs: 5, unchanged: 0, held: 2, deferred: 1, online: 0, offline: 0 });
});

test('continues with a newer plan and sums up all its changes', () => {
  const run = startReconciliation(planOf(change('a', 'test'), change('b', 'test', { deferred: waits(1) })), 'one', 5);
  run.online = 3;
  assert.is(continueReconciliation(run, planOf(change('b', 'test', { held }))), run);
  const summary = summarizeReconciliation(run, { failed: 2, held: 1, nowMs: 12.4 });
  assert.equal(summary, { online: 3, offline: 0, unchanged: 0, held: 2, deferred: 0, failed: 2, durationMs: 7 });
});

test.run();
