import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Attempt } from '../../src/model/attempt.ts';
import type { DesiredState } from '../../src/model/desired-state.ts';
import type { ListedVersion } from '../../src/model/observation.ts';
import type { RecordedPublication } from '../../src/model/recorded-state.ts';
import { computeUndo, filterMissingFromFile, filterRestorable, matchesRecorded, type Restoration } from '../../src/plan/undo.ts';
import { attemptAt } from '../support/saved-plans.ts';
import { desiredState, recorded, recordedState, unknownAttemptOf, wanted } from '../support/states.ts';

const unknownAttempt = unknownAttemptOf({ attemptId: 42 });
const nothing = { state: null, revision: null, versionId: null } as const;
const offline = { state: 'offline', revision: 'r1', versionId: null } as const;
const online = { state: 'online', revision: 'r1', versionId: 'old' } as const;
const wentOffline = { action: 'offline', versionId: null } as const;
const isOffline = { state: 'offline', versionId: null } as const;
const isOnline = { state: 'online', versionId: 'new' } as const;

/** Returns the restored state, in short, or why none is restored. */
function back(attempt: Partial<Attempt>, now: Partial<RecordedPublication>, later: readonly Attempt[] = []): string {
  const found = computeUndo([attemptAt('orders', 'test', attempt)], later, recordedState([recorded('orders', 'test', now)]));
  const [one] = found.restorations;
  return one
    ? `${one.state} ${one.version}${one.newVersionCause ? ` as new: ${one.newVersionCause}` : ''}`
    : (found.notRestored[0]?.cause.kind ?? 'none');
}

const rows: readonly [name: string, attempt: Partial<Attempt>, now: Partial<RecordedPublication>, expected: string][] = [
  ['a new publication goes offline', { priorState: nothing }, isOnline, 'offline null'],
  ['a publication that was offline goes offline again', { priorState: offline }, isOnline, 'offline null'],
  ['a replaced version is restored', { priorState: online }, isOnline, 'online old'],
  ['an unknown replaced version is not restored', { priorState: { ...online, versionId: null } }, isOnline, 'unknownVersion'],
  ['an API that went offline returns with its version', { ...wentOffline, priorState: online }, isOffline, 'online old'],
  [
    'an API that went offline with an unknown version returns',
    { ...wentOffline, priorState: { ...online, versionId: null } },
    isOffline,
    'online null as new: unknown',
  ],
  ['an offline without an earlier record cannot be undone', { ...wentOffline, priorState: nothing }, isOffline, 'unrecorded'],
  ['an offline of an offline publication has nothing to undo', { ...wentOffline, priorState: offline }, isOffline, 'unchanged'],
  ['a switch to the effective version has nothing to undo', { priorState: { ...online, versionId: 'new' } }, isOnline, 'unchanged'],
  [
    'a switch is identified by its version',
    { versionId: null, requestedVersionId: 'pin', priorState: online },
    { ...isOnline, versionId: 'pin' },
    'online old',
  ],
  ['another version became effective since', { priorState: online }, { ...isOnline, versionId: 'other' }, 'externalChange'],
  ['it was taken offline since', { priorState: online }, isOffline, 'externalChange'],
  [
    'a drift was observed since',
    { priorState: online },
    { ...isOnline, drift: { from: 'online', fromSinceMs: 1, detectedAtMs: 2, backoffUntilMs: null } },
    'externalChange',
  ],
  [
    'an attempt has an unknown outcome',
    { priorState: online },
    { ...isOnline, unknownAttempt: { ...unknownAttempt, attemptId: 50 } },
    'unknownOutcome',
  ],
  ['its own outcome is unknown', { outcome: null, priorState: online }, { ...isOnline, unknownAttempt }, 'unknownOutcome'],
  ['it failed', { outcome: 'rejected', priorState: online }, isOnline, 'none'],
];
for (const [name, attempt, now, expected] of rows) test(name, () => assert.is(back(attempt, now), expected));

test('a later attempt has changed it, and an earlier one has not', () => {
  assert.is(back({ priorState: online }, isOnline, [attemptAt('orders', 'test', { id: 43 })]), 'laterAttempt');
  assert.is(back({ priorState: online }, isOnline, [attemptAt('carts', 'test', { id: 43 })]), 'online old');
});

test('all changes of an apply to one publication are undone together', () => {
  const attempts = [
    attemptAt('orders', 'test', { id: 1, priorState: online, versionId: 'v2' }),
    attemptAt('orders', 'test', { id: 2, outcome: 'retryable', priorState: online }),
    attemptAt('orders', 'test', { id: 3, priorState: { ...online, versionId: 'v2' }, versionId: 'new' }),
  ];
  const { restorations, notRestored } = computeUndo(attempts, attempts, recordedState([recorded('orders', 'test', isOnline)]));
  assert.equal(
    restorations.map(({ attemptId, version }) => [attemptId, version]),
    [[3, 'old']],
  );
  assert.equal(notRestored, []);
});

const version = (versionId: string, over: Partial<ListedVersion> = {}): ListedVersion => ({
  ...{ versionId, versionNumber: '', remark: '', publishedAtMs: 1, isEffective: false },
  ...over,
});

test('an observed state that differs from the recorded one counts as changed', () => {
  const shows = (now: Partial<RecordedPublication>, ...versions: readonly ListedVersion[]): boolean =>
    matchesRecorded(recorded('orders', 'test', now), versions);
  assert.ok(shows(isOnline, version('old'), version('new', { isEffective: true })));
  assert.not.ok(shows(isOnline, version('old', { isEffective: true }), version('new')));
  assert.not.ok(shows(isOnline, version('new')));
  assert.ok(shows({ ...isOnline, versionId: null }, version('any', { isEffective: true })));
  assert.ok(shows(isOffline, version('old')));
  assert.not.ok(shows(isOffline, version('old', { isEffective: true })));
  assert.ok(matchesRecorded(undefined, []));
});

/** Returns what can be restored at a gateway that keeps `versions`. */
function open(attempt: Partial<Attempt>, now: Partial<RecordedPublication>, versions: readonly ListedVersion[] | string): string {
  const state = recordedState([recorded('orders', 'test', now)]);
  const found = computeUndo([attemptAt('orders', 'test', attempt)], [], state);
  const { restorations, notRestored } = filterRestorable(found, state, new Map(found.restorations.map(({ key }) => [key, versions])));
  const [one] = restorations;
  return one
    ? `${one.state} ${one.version} ${one.newVersionCause}${one.mayHaveBeenOnline ? ' mayHaveBeenOnline' : ''}`
    : (notRestored[0]?.cause.kind ?? 'none');
}

const current = version('new', { isEffective: true, publishedAtMs: 5_000_000 });
const gateways: readonly [name: string, Partial<Attempt>, Partial<RecordedPublication>, readonly ListedVersion[] | string, string][] = [
  ['a kept version is switched to', { priorState: online }, isOnline, [current, version('old')], 'online old null'],
  ['a deleted version cannot be restored', { priorState: online }, isOnline, [current], 'versionDeleted'],
  ['an external change is left as it is', { priorState: online }, isOnline, [version('old', { isEffective: true })], 'externalChange'],
  [
    'an API that went offline returns with its version',
    { ...wentOffline, priorState: online },
    isOffline,
    [version('old')],
    'online old null',
  ],
  [
    'an API that went offline with a deleted version returns as a new one',
    { ...wentOffline, priorState: online },
    isOffline,
    [],
    'online null deleted',
  ],
  [
    'an API that went offline with an unknown version returns as a new one',
    { ...wentOffline, priorState: { ...online, versionId: null } },
    isOffline,
    [version('old')],
    'online null unknown',
  ],
  [
    'an API put online outside edict is left as it is',
    { ...wentOffline, priorState: online },
    isOffline,
    [version('old', { isEffective: true })],
    'externalChange',
  ],
  ['a new publication goes offline', { priorState: nothing }, isOnline, [current], 'offline null null'],
  [
    'an older version means that it may have been online',
    { priorState: nothing },
    isOnline,
    [current, version('old')],
    'offline null null mayHaveBeenOnline',
  ],
  [
    'an older version means nothing if it was recorded offline',
    { priorState: offline },
    isOnline,
    [current, version('old')],
    'offline null null',
  ],
  ['a publication whose versions cannot be read is left', { priorState: online }, isOnline, 'APIG.1005 no', 'unreadable'],
];
for (const [name, attempt, now, versions, expected] of gateways) {
  test(`at the gateway ${name}`, () => assert.is(open(attempt, now, versions), expected));
}

const one: Restoration = {
  ...{ key: wanted('orders', 'test').key, api: 'orders', apiId: 'api-orders', environment: 'test', environmentId: 'env-test' },
  ...{ attemptId: 42, finishedAtMs: 1, state: 'online', version: 'old', newVersionCause: null, mayHaveBeenOnline: false },
};
const down: Restoration = { ...one, state: 'offline', version: null };
const asNew: Restoration = { ...one, version: null, newVersionCause: 'deleted' };
const nowOnline = recorded('orders', 'test', { ...isOnline, revision: 'r2' });
const byHand = { ...nowOnline, drift: { from: null, fromSinceMs: null, detectedAtMs: 2, backoffUntilMs: null } };

const inFile = (over: object) => desiredState([wanted('orders', 'test', over)]);
const files: readonly [name: string, file: DesiredState, Restoration, isMissing: boolean, RecordedPublication?][] = [
  ['a version that is not pinned', inFile({ revision: 'r2' }), one, true],
  ['a version that is not pinned, with the revision from before', inFile({ revision: 'r1' }), one, true],
  ['another version', inFile({ version: 'other' }), one, true],
  ['the version itself', inFile({ revision: 'r2', version: 'old' }), one, false],
  ['a version of a publication declared offline', inFile({ state: 'offline' }), one, true],
  ['offline, and the file says online', inFile({}), down, true],
  ['offline, and the file says offline', inFile({ state: 'offline' }), down, false],
  ['a new version, and the file says online', inFile({}), asNew, false],
  ['a new version, and the file pins one', inFile({ version: 'other' }), asNew, true],
  ['a new version, and the file says offline', inFile({ state: 'offline' }), asNew, true],
  ['a version of a publication that left the file', desiredState([], { prune: true }), one, true],
  ['offline of a publication that left the file', desiredState([], { prune: true }), down, false],
  ['offline of a publication that left a file with prune: false', desiredState([], { prune: false }), down, true],
  ['offline of a publication that left the file and was put online outside edict', desiredState([], { prune: true }), down, true, byHand],
];
for (const [name, file, restoration, isMissing, record = nowOnline] of files) {
  test(`the file ${isMissing ? 'must be changed for' : 'already declares'} ${name}`, () =>
    assert.is(filterMissingFromFile(file, recordedState([record]), [restoration]).length, isMissing ? 1 : 0));
}

test.run();
