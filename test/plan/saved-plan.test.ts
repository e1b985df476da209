import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { publicationKey } from '../../src/model/publication.ts';
import { preconditionOf } from '../../src/plan/saved-plan.ts';
import { attemptAt, lastAttempts, plannedAtMs, savedFrom } from '../support/saved-plans.ts';
import { desiredState, recorded, recordedState, unknownAttemptOf, wanted } from '../support/states.ts';

const unknownAttempt = unknownAttemptOf({ attemptId: 7, revision: 'r', marker: '3f9a1c0b7d2e', endedAtMs: 5 });

test('a change is saved with its recorded state and newest attempt', () => {
  const desired = desiredState([wanted('a', 'test'), wanted('b', 'test', { revision: '2' })]);
  const before = recordedState([recorded('b', 'test', { versionId: 'v1', unknownAttempt })]);
  const saved = savedFrom(desired, before, lastAttempts(attemptAt('b', 'test', { id: 7 })));
  assert.is(saved.createdAtMs, plannedAtMs);
  assert.equal(
    [...saved.changes].map(([key, { precondition, lastAttemptId, action, reason }]) => [key, precondition, lastAttemptId, action, reason]),
    [
      [publicationKey('api-a', 'env-test'), preconditionOf(undefined), null, 'online', 'new'],
      [
        publicationKey('api-b', 'env-test'),
        {
          ...{ state: 'online', revision: null, versionId: 'v1', editedAtMs: null },
          unknownAttempt: { attemptId: 7, action: 'online', revision: 'r', version: null },
        },
        7,
        'online',
        'unknown',
      ],
    ],
  );
});

test('a change without a record is saved with null', () => {
  assert.equal(Object.values(preconditionOf(undefined)), [null, null, null, null, null]);
});

test('a held change is saved as held, without the list of what a held file lost', () => {
  const desired = desiredState([], { prune: true });
  const before = recordedState([recorded('a', 'test')]);
  const past = {
    declared: new Map([[publicationKey('api-a', 'env-test'), '']]),
    otherGateways: [],
    moved: null,
    approvals: [],
    suspension: null,
  };
  const [change] = savedFrom(desired, before, new Map(), past).changes.values();
  assert.is(change?.held?.rule, 'empty');
  assert.equal(Object.keys(change?.held ?? {}), ['rule', 'message', 'hint']);
});

test.run();
