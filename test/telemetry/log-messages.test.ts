import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Change } from '../../src/model/change.ts';
import type { EdictEvent } from '../../src/model/events.ts';
import type { Outcome } from '../../src/model/outcome.ts';
import { diffStates } from '../../src/plan/diff.ts';
import { messageFor } from '../../src/telemetry/log-messages.ts';
import { desiredState, reconcileSummary, wanted } from '../support/states.ts';

const plan = diffStates(desiredState([wanted('orders', 'test')]), new Map());
const nothing = diffStates(desiredState([]), new Map());
const change = plan.changes[0] as Change;
const failure = { code: 'X', status: null, message: '', hint: null, requestId: null, retryAfterMs: null };
const attemptFinished = (outcome: Outcome): EdictEvent => ({
  type: 'attempt:finished',
  reconcileId: 'p',
  attemptId: 1,
  change,
  outcome,
  isRecorded: true,
  durationMs: 1,
});
const finished = (over: object): EdictEvent => ({
  type: 'reconcile:finished',
  reconcileId: 'p',
  summary: reconcileSummary({ unchanged: 1, durationMs: 1, ...over }),
});

const waiting = (held: Change['held'] = null) => {
  const deferred = { rule: 'freeze', message: 'frozen', untilMs: 1 } as const;
  return { ...plan, changes: plan.changes.map((one) => ({ ...one, deferred, held })) };
};
const hold = { rule: 'protected', message: '', hint: '' } as const;

const probe = (isExpected: boolean): EdictEvent => ({
  type: 'probe:answered',
  target: { ...change, url: 'https://x', expectedStatus: null, timeoutMs: 1, sinceMs: 1 },
  isExpected,
  message: '',
  afterMs: null,
});

const levels: readonly [string, EdictEvent, string][] = [
  ['a change that was made', attemptFinished({ kind: 'succeeded', versionId: null, publishId: null }), 'info'],
  ['a change that needs a person', attemptFinished({ kind: 'rejected', failure }), 'error'],
  ['a change whose outcome is unknown', attemptFinished({ kind: 'unknown', failure }), 'warn'],
  ['a change that is retried', attemptFinished({ kind: 'retryable', failure }), 'warn'],
  ['a superseded change', attemptFinished({ kind: 'superseded' }), 'info'],
  ['a plan with changes on a resync', { type: 'plan:computed', reconcileId: 'p', cause: 'resync', recorded: new Map(), plan }, 'info'],
  [
    'a plan without changes on a resync',
    { type: 'plan:computed', reconcileId: 'p', cause: 'resync', recorded: new Map(), plan: nothing },
    'debug',
  ],
  ['a plan that continues the last one', { type: 'plan:computed', reconcileId: 'p', cause: 'rollout', recorded: new Map(), plan }, 'debug'],
  [
    'a plan that waits at the start',
    { type: 'plan:computed', reconcileId: 'p', cause: 'startup', recorded: new Map(), plan: waiting() },
    'info',
  ],
  [
    'a plan that waits still on a resync',
    { type: 'plan:computed', reconcileId: 'p', cause: 'resync', recorded: new Map(), plan: waiting() },
    'debug',
  ],
  [
    'a plan that waits and is held on a resync',
    { type: 'plan:computed', reconcileId: 'p', cause: 'resync', recorded: new Map(), plan: waiting(hold) },
    'info',
  ],
  ['a probe that was answered as expected', probe(true), 'info'],
  ['a probe that was not', probe(false), 'warn'],
  [
    'a plan without changes at the start',
    { type: 'plan:computed', reconcileId: 'p', cause: 'startup', recorded: new Map(), plan: nothing },
    'info',
  ],
  ['a pass with failures', finished({ failed: 1 }), 'warn'],
  ['a pass that made something', finished({ online: 1 }), 'info'],
  ['a pass that made nothing', finished({}), 'debug'],
  ['a store that failed', { type: 'store:error', reconcileId: '', message: 'full' }, 'error'],
];
for (const [name, event, level] of levels) test(`${name} is logged as ${level}`, () => assert.is(messageFor(event).level, level));

test('the message of an event does not depend on its fields', () => {
  const other = { ...attemptFinished({ kind: 'retryable', failure: { ...failure, code: 'Y' } }), attemptId: 99 } as EdictEvent;
  assert.is(messageFor(other).message, messageFor(attemptFinished({ kind: 'retryable', failure })).message);
});

test.run();
