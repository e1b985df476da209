import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { PreviousState } from '../../src/model/approval.ts';
import { computePlan } from '../../src/plan/planner.ts';
import { approvalDigest, approvalScope } from '../../src/plan/policies.ts';
import { allTargets, type Targets } from '../../src/plan/targets.ts';
import { desiredState, noGuards, recorded, recordedState, wanted } from '../support/states.ts';

const test = suite('planner');
const past: PreviousState = { declared: new Map(), otherGateways: [], moved: null, approvals: [], suspension: null };
const desired = desiredState(
  ['a', 'b', 'c'].map((api) => wanted(api, 'test', { state: 'offline' })),
  { guards: { ...noGuards, maxOffline: { count: 2, share: null } } },
);
const before = recordedState(['a', 'b', 'c'].map((api) => recorded(api, 'test')));
const onlyA: Targets = {
  patterns: { apis: ['a'], environments: [] },
  matchesApi: ({ api }) => api === 'a',
  matchesEnvironment: () => true,
};

test('policies check the whole plan, so that a targeted apply cannot bypass them', () => {
  const part = computePlan({ desired, recorded: before, previous: past, targets: onlyA, nowMs: 0 });
  assert.equal(
    part.changes.map(({ api, held }) => [api, held?.rule]),
    [['a', 'maxOffline']],
  );
  assert.is(part.excluded, 2);
});

test('an approval is for the plan that is shown: a targeted plan needs its own', () => {
  const part = computePlan({ desired, recorded: before, previous: past, targets: onlyA, nowMs: 0 });
  const approval = { id: 1, by: 'ada', reason: '', approvedAtMs: 0, expiresAtMs: 9, usedKeys: new Set<never>(), isFileHoldReleased: false };
  const approvals = [{ ...approval, digest: approvalDigest(part) ?? '', scope: approvalScope(part) }];
  assert.is(computePlan({ desired, recorded: before, previous: { ...past, approvals }, targets: onlyA, nowMs: 0 }).changes[0]?.held, null);
  assert.ok(
    computePlan({ desired, recorded: before, previous: { ...past, approvals }, targets: allTargets, nowMs: 0 }).changes.every(
      (change) => change.held,
    ),
  );
  assert.ok(computePlan({ desired, recorded: before, previous: { ...past, approvals }, targets: onlyA, nowMs: 9 }).changes[0]?.held);
});

test('a suspension by a person defers everything until its end, and is part of the plan', () => {
  const open = desiredState([wanted('a', 'test', { state: 'offline' })]);
  const word = { reason: 'INC-1', by: 'ada', sinceMs: null, untilMs: 50 };
  const at = (nowMs: number, file: typeof open = open) =>
    computePlan({ desired: file, recorded: before, previous: { ...past, suspension: word }, targets: allTargets, nowMs });
  assert.equal([at(0).changes[0]?.deferred?.message, at(0).changes[0]?.deferred?.untilMs], ['suspended by ada (INC-1)', 50]);
  assert.equal([at(0).suspension, at(50).suspension, at(50).changes[0]?.deferred], [word, null, null]);
  const longer = { ...open, suspension: { reason: 'launch', by: null, sinceMs: null, untilMs: null } };
  assert.equal(at(0, longer).changes[0]?.deferred?.message, 'suspended (launch)', 'the longer one of two counts');
  const shorter = { ...open, suspension: { reason: 'launch', by: null, sinceMs: null, untilMs: 10 } };
  assert.equal(at(0, shorter).changes[0]?.deferred?.untilMs, 50);
});

test.run();
