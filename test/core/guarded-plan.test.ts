import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { guardedPlan } from '../../src/core/guarded-plan.ts';
import { heldDigest, heldWork, type Past } from '../../src/core/guards.ts';
import { everything, type Targets } from '../../src/core/targets.ts';
import { desiredState, noGuards, recorded, recordedState, wanted } from '../support/states.ts';

const test = suite('guarded plan');
const past: Past = { declared: new Map(), elsewhere: [], approvals: [], suspension: null };
const desired = desiredState(
  ['a', 'b', 'c'].map((api) => wanted(api, 'test', { state: 'offline' })),
  { guards: { ...noGuards, maxOffline: { count: 2, share: null } } },
);
const before = recordedState(['a', 'b', 'c'].map((api) => recorded(api, 'test')));
const onlyA: Targets = {
  patterns: { apis: ['a'], environments: [] },
  hasApi: ({ api }) => api === 'a',
  hasEnvironment: () => true,
};

test('guards look at the whole plan, so that nobody slips past them in parts', () => {
  const part = guardedPlan(desired, before, past, onlyA, 0);
  assert.equal(
    part.changes.map(({ api, held }) => [api, held?.rule]),
    [['a', 'maxOffline']],
  );
  assert.is(part.untargeted, 2);
});

test('an approval is for what is shown: a part needs its own', () => {
  const part = guardedPlan(desired, before, past, onlyA, 0);
  const approval = { id: 1, by: 'ada', why: '', atMs: 0, expiresAtMs: 9, done: new Set<never>(), isSpent: false };
  const approvals = [{ ...approval, digest: heldDigest(part) ?? '', work: heldWork(part) }];
  assert.is(guardedPlan(desired, before, { ...past, approvals }, onlyA, 0).changes[0]?.held, null);
  assert.ok(guardedPlan(desired, before, { ...past, approvals }, everything, 0).changes.every((change) => change.held));
  assert.ok(guardedPlan(desired, before, { ...past, approvals }, onlyA, 9).changes[0]?.held);
});

test('a person’s word beside the file delays everything until its time is over, and is part of the plan', () => {
  const open = desiredState([wanted('a', 'test', { state: 'offline' })]);
  const word = { reason: 'INC-1', by: 'ada', untilMs: 50 };
  const at = (nowMs: number, file: typeof open = open) => guardedPlan(file, before, { ...past, suspension: word }, everything, nowMs);
  assert.equal([at(0).changes[0]?.waits?.message, at(0).changes[0]?.waits?.untilMs], ['suspended by ada (INC-1)', 50]);
  assert.equal([at(0).suspension, at(50).suspension, at(50).changes[0]?.waits], [word, null, null]);
  const longer = { ...open, suspension: { reason: 'launch', by: null, untilMs: null } };
  assert.equal(at(0, longer).changes[0]?.waits?.message, 'suspended (launch)', 'the longer one of two counts');
  const shorter = { ...open, suspension: { reason: 'launch', by: null, untilMs: 10 } };
  assert.equal(at(0, shorter).changes[0]?.waits?.untilMs, 50);
});

test.run();
