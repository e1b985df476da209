import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Change } from '../../src/model/change.ts';
import type { DesiredPublication } from '../../src/model/desired-state.ts';
import type { RecordedPublication } from '../../src/model/recorded-state.ts';
import { diffStates } from '../../src/plan/diff.ts';
import {
  type AttemptSummary,
  computeRecordedCells,
  computeStatusCell,
  type PublicationStatus,
  publicationKeys,
  publicationStatuses,
  statusInput,
} from '../../src/plan/status.ts';
import { formatStatusCell } from '../../src/render/status-text.ts';
import { change, desiredState, recorded, recordedState, wanted } from '../support/states.ts';

const last = (over: Partial<AttemptSummary> = {}): AttemptSummary => ({
  ...{ id: 7, action: 'online', revision: null, outcome: 'retryable', code: 'APIG.9999', message: 'System error', startedAtMs: 1 },
  ...over,
});
const hold = { rule: 'protected', message: 'protected', hint: '' } as const;
const drift = { from: 'online', fromSinceMs: 1, detectedAtMs: 2, backoffUntilMs: null } as const;

interface Case {
  readonly desired?: DesiredPublication;
  readonly recorded?: RecordedPublication;
  readonly change?: Change;
  readonly lastAttempt?: AttemptSummary;
  readonly isStale?: boolean;
  readonly isSettling?: boolean;
  readonly isInFlight?: boolean;
}

const statusOf = ({
  desired,
  recorded: was,
  change: one,
  lastAttempt: attempt,
  isStale = false,
  isSettling = false,
  isInFlight = false,
}: Case): PublicationStatus | undefined => {
  const { key } = wanted('orders', 'test');
  const states = { desired: desiredState(desired ? [desired] : []), recorded: recordedState(was ? [was] : []) };
  const plan = {
    ...diffStates(states.desired, states.recorded, { isSettling: () => isSettling }),
    ...{ changes: one ? [one] : [], outdated: isStale && was ? [was] : [] },
  };
  return computeStatusCell(
    key,
    statusInput(plan, { ...states, lastAttempts: new Map(attempt ? [[key, attempt]] : []), inFlight: new Set(isInFlight ? [key] : []) }),
  )?.status;
};

const online = wanted('orders', 'test');
const offline = recorded('orders', 'test', { state: 'offline' });

for (const [name, given, expected] of [
  ['it is in sync', { desired: online, recorded: recorded('orders', 'test') }, 'unchanged'],
  ['it has a change to make', { desired: online, change: change('orders', 'test') }, 'pending'],
  ['a person must approve', { desired: online, change: change('orders', 'test', { held: hold }) }, 'held'],
  [
    'it is in a freeze',
    { desired: online, change: change('orders', 'test', { deferred: { rule: 'freeze', message: '', untilMs: null } }) },
    'deferred',
  ],
  [
    'it is suspended',
    { desired: online, change: change('orders', 'test', { deferred: { rule: 'suspended', message: '', untilMs: null } }) },
    'deferred',
  ],
  [
    'an earlier rollout step is not done',
    { desired: online, change: change('orders', 'test', { deferred: { rule: 'rollout', message: '', untilMs: null } }) },
    'deferred',
  ],
  ['the last attempt failed', { desired: online, change: change('orders', 'test'), lastAttempt: last() }, 'failed'],
  [
    'the last attempt was for another revision',
    { desired: online, change: change('orders', 'test', { revision: '2' }), lastAttempt: last({ revision: '1' }) },
    'pending',
  ],
  [
    'the last attempt was another action',
    { desired: online, change: change('orders', 'test'), lastAttempt: last({ action: 'offline' }) },
    'pending',
  ],
  ['an attempt is in flight', { desired: online, change: change('orders', 'test'), lastAttempt: last({ outcome: null }) }, 'pending'],
  [
    'the list of the gateway shows that the last attempt had no effect',
    { desired: online, change: change('orders', 'test'), lastAttempt: last({ outcome: 'notApplied' }) },
    'pending',
  ],
  ['it was changed outside edict', { desired: online, recorded: recorded('orders', 'test', { state: 'offline', drift }) }, 'drifted'],
  ['its API was edited since', { desired: online, recorded: recorded('orders', 'test'), isStale: true }, 'outdated'],
  ['it is online and not in the file', { recorded: recorded('orders', 'test') }, 'unmanaged'],
  ['it was changed too recently to be judged', { desired: online, recorded: recorded('orders', 'test'), isSettling: true }, 'settling'],
  ['its attempt has no known outcome', { desired: online, change: change('orders', 'test', { reason: 'unknown' }) }, 'unknown'],
  [
    'its attempt was in flight when the plan was computed, and has failed since',
    { desired: online, change: change('orders', 'test', { reason: 'unknown' }), lastAttempt: last({ outcome: 'rejected' }) },
    'failed',
  ],
  [
    'its attempt is in flight, as the plan does not know',
    { desired: online, change: change('orders', 'test', { reason: 'unknown' }), lastAttempt: last({ outcome: null }), isInFlight: true },
    'pending',
  ],
  [
    'its last attempt ended with an unknown outcome',
    { desired: online, change: change('orders', 'test'), lastAttempt: last({ outcome: 'unknown' }) },
    'unknown',
  ],
  ['it is offline and not in the file', { recorded: offline }, undefined],
  ['it is neither declared nor recorded', {}, undefined],
] as const satisfies readonly (readonly [string, Case, PublicationStatus | undefined])[]) {
  test(`a publication is ${expected ?? 'not shown'} if ${name}`, () => assert.is(statusOf(given), expected));
}

test('a past failure does not matter once everything is in sync', () => {
  assert.is(statusOf({ desired: online, recorded: recorded('orders', 'test'), lastAttempt: last() }), 'unchanged');
});

test('the publications of the file come first, in its order, and once each', () => {
  const matrix = {
    desired: desiredState([wanted('b', 'test'), wanted('a', 'test')]),
    recorded: recordedState([recorded('c', 'test'), recorded('a', 'test')]),
    unmanaged: new Map([recorded('d', 'test'), recorded('c', 'test')].map((publication) => [publication.key, publication])),
  };
  assert.equal([...publicationKeys(matrix)], ['api-b env-test', 'api-a env-test', 'api-c env-test', 'api-d env-test']);
});

test('the statuses are ordered by urgency', () => {
  assert.is(new Set(publicationStatuses).size, publicationStatuses.length);
  assert.is(publicationStatuses.at(-1), 'unchanged');
});

test('without a valid file, what failed or drifted since it was recorded is known, and what the last valid file declared', () => {
  const failed = last({ outcome: 'rejected', startedAtMs: 2000 });
  const publications = [
    recorded('kept', 'test'),
    recorded('failed', 'test', { recordedAtMs: 1000 }),
    recorded('observed', 'test', { recordedAtMs: 3000 }),
    recorded('gone', 'test'),
    recorded('gone offline', 'test', { state: 'offline' }),
    recorded('moved', 'test', { drift }),
  ];
  const cells = computeRecordedCells({
    recorded: recordedState(publications),
    lastAttempts: new Map(publications.slice(1, 3).map(({ key }) => [key, failed])),
    declared: new Set(publications.filter(({ api }) => !api.startsWith('gone')).map(({ key }) => key)),
    observation: { unmanaged: [recorded('other', 'test')], missingApiIds: ['api-moved'] },
  });
  assert.equal(
    cells.map(({ api, status, desired, change: next }) => [api, status, desired, next]),
    [
      ['kept', 'unknown', null, null],
      ['failed', 'failed', null, null],
      ['observed', 'unknown', null, null],
      ['gone', 'unmanaged', null, null],
      ['moved', 'drifted', null, null],
      ['other', 'unmanaged', null, null],
    ],
  );
  assert.equal(
    cells.map(({ lastDesired }) => lastDesired),
    [undefined, 'online', undefined, undefined, 'online', undefined],
    'only failed and drifted publications tell their declaration in the last valid file',
  );
  assert.equal(
    cells.slice(0, 2).map((cell) => formatStatusCell(cell)),
    ['the desired state is unknown until the file is fixed', 'last attempt rejected: APIG.9999 System error'],
  );
});

test.run();
