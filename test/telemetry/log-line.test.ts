import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { EngineEvent } from '../../src/core/events.ts';
import type { Outcome } from '../../src/core/outcome.ts';
import { type Change, plan } from '../../src/core/plan.ts';
import { lineOf } from '../../src/telemetry/log-line.ts';
import { desiredState, wanted } from '../support/states.ts';

const made = plan(desiredState([wanted('orders', 'test')]), new Map());
const nothing = plan(desiredState([]), new Map());
const change = made.changes[0] as Change;
const failure = { code: 'X', status: null, message: '', hint: null, requestId: null, pauseMs: null };
const settled = (outcome: Outcome): EngineEvent => ({ type: 'attempt:settled', passId: 'p', attemptId: 1, change, outcome, tookMs: 1 });
const finished = (over: object): EngineEvent => ({
  type: 'pass:finished',
  passId: 'p',
  summary: { online: 0, offline: 0, unchanged: 1, held: 0, waiting: 0, failed: 0, tookMs: 1, ...over },
});

const waiting = (held: Change['held'] = null) => {
  const waits = { rule: 'freeze', message: 'frozen', untilMs: 1 } as const;
  return { ...made, changes: made.changes.map((one) => ({ ...one, waits, held })) };
};
const hold = { rule: 'protected', message: '', hint: '' } as const;

const probe = (isExpected: boolean): EngineEvent => ({
  type: 'probe:answered',
  target: { ...change, url: 'https://x', status: null, timeoutMs: 1, sinceMs: 1 },
  isExpected,
  said: '',
  afterMs: null,
});

const levels: readonly [string, EngineEvent, string][] = [
  ['a change that was made', settled({ kind: 'succeeded', versionId: null, publishId: null }), 'info'],
  ['a change that waits for a person', settled({ kind: 'stalled', failure }), 'error'],
  ['a change whose outcome is unknown', settled({ kind: 'unknown', failure }), 'warn'],
  ['a change that is tried again', settled({ kind: 'retry', failure }), 'warn'],
  ['a change that was dropped', settled({ kind: 'dropped' }), 'info'],
  ['a plan with changes on a resync', { type: 'plan:made', passId: 'p', cause: 'resync', recorded: new Map(), plan: made }, 'info'],
  ['a plan without changes on a resync', { type: 'plan:made', passId: 'p', cause: 'resync', recorded: new Map(), plan: nothing }, 'debug'],
  ['a plan that goes on with the last one', { type: 'plan:made', passId: 'p', cause: 'order', recorded: new Map(), plan: made }, 'debug'],
  ['a plan that waits at the start', { type: 'plan:made', passId: 'p', cause: 'start', recorded: new Map(), plan: waiting() }, 'info'],
  [
    'a plan that waits still on a resync',
    { type: 'plan:made', passId: 'p', cause: 'resync', recorded: new Map(), plan: waiting() },
    'debug',
  ],
  [
    'a plan that waits and is held on a resync',
    { type: 'plan:made', passId: 'p', cause: 'resync', recorded: new Map(), plan: waiting(hold) },
    'info',
  ],
  ['a probe that was answered as expected', probe(true), 'info'],
  ['a probe that was not', probe(false), 'warn'],
  ['a plan without changes at the start', { type: 'plan:made', passId: 'p', cause: 'start', recorded: new Map(), plan: nothing }, 'info'],
  ['a pass with failures', finished({ failed: 1 }), 'warn'],
  ['a pass that made something', finished({ online: 1 }), 'info'],
  ['a pass that made nothing', finished({}), 'debug'],
  ['a store that failed', { type: 'store:failed', passId: '', message: 'full' }, 'error'],
];
for (const [name, event, level] of levels) test(`${name} is logged as ${level}`, () => assert.is(lineOf(event).level, level));

test('the message of an event does not depend on its fields', () => {
  const other = { ...settled({ kind: 'retry', failure: { ...failure, code: 'Y' } }), attemptId: 99 } as EngineEvent;
  assert.is(lineOf(other).message, lineOf(settled({ kind: 'retry', failure })).message);
});

test.run();
