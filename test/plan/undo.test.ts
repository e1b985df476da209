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
  ['what was new goes offline', { priorState: nothing }, isOnline, 'offline null'],
  ['what was offline goes offline again', { priorState: offline }, isOnline, 'offline null'],
  ['what replaced a version gets it back', { priorState: online }, isOnline, 'online old'],
  ['what replaced a version that was not known stays', { priorState: { ...online, versionId: null } }, isOnline, 'unknownVersion'],
  ['what went offline comes back with its version', { ...wentOffline, priorState: online }, isOffline, 'online old'],
  [
    'what went offline with a version that was not known comes back',
    { ...wentOffline, priorState: { ...online, versionId: null } },
    isOffline,
    'online null as new: unknown',
  ],
  ['an offline before which nothing was recorded has no inverse', { ...wentOffline, priorState: nothing }, isOffline, 'unrecorded'],
  ['an offline of what was offline has nothing to undo', { ...wentOffline, priorState: offline }, isOffline, 'unchanged'],
  [
    'a switch to the version that was effective has nothing to undo',
    { priorState: { ...online, versionId: 'new' } },
    isOnline,
    'unchanged',
  ],
  [
    'a switch is known by the version it asked for',
    { versionId: null, requestedVersionId: 'pin', priorState: online },
    { ...isOnline, versionId: 'pin' },
    'online old',
  ],
  ['another version has been made effective since', { priorState: online }, { ...isOnline, versionId: 'other' }, 'externalChange'],
  ['it has been taken offline since', { priorState: online }, isOffline, 'externalChange'],
  [
    'a drift has been seen since',
    { priorState: online },
    { ...isOnline, drift: { from: 'online', fromSinceMs: 1, detectedAtMs: 2, backoffUntilMs: null } },
    'externalChange',
  ],
  [
    'an attempt has no known outcome',
    { priorState: online },
    { ...isOnline, unknownAttempt: { ...unknownAttempt, attemptId: 50 } },
    'unknownOutcome',
  ],
  ['its own outcome is not known', { outcome: null, priorState: online }, { ...isOnline, unknownAttempt }, 'unknownOutcome'],
  ['it has failed', { outcome: 'rejected', priorState: online }, isOnline, 'none'],
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
    ? `${one.state} ${one.version} ${one.newVersionCause}${one.mayHaveBeenOnline ? ' doubtful' : ''}`
    : (notRestored[0]?.cause.kind ?? 'none');
}

const current = version('new', { isEffective: true, publishedAtMs: 5_000_000 });
const gateways: readonly [name: string, Partial<Attempt>, Partial<RecordedPublication>, readonly ListedVersion[] | string, string][] = [
  ['a kept version is switched to', { priorState: online }, isOnline, [current, version('old')], 'online old null'],
  ['a version that is gone cannot be brought back', { priorState: online }, isOnline, [current], 'versionDeleted'],
  ['what was moved by somebody else is left', { priorState: online }, isOnline, [version('old', { isEffective: true })], 'externalChange'],
  ['what went offline comes back with its version', { ...wentOffline, priorState: online }, isOffline, [version('old')], 'online old null'],
  [
    'what went offline with a version that is gone comes back as a new one',
    { ...wentOffline, priorState: online },
    isOffline,
    [],
    'online null deleted',
  ],
  [
    'and so it does with one that was not known',
    { ...wentOffline, priorState: { ...online, versionId: null } },
    isOffline,
    [version('old')],
    'online null unknown',
  ],
  [
    'what was put online by somebody else is left',
    { ...wentOffline, priorState: online },
    isOffline,
    [version('old', { isEffective: true })],
    'externalChange',
  ],
  ['what was new goes offline', { priorState: nothing }, isOnline, [current], 'offline null null'],
  [
    'an older version says that it may have been online',
    { priorState: nothing },
    isOnline,
    [current, version('old')],
    'offline null null doubtful',
  ],
  ['but not where it was recorded offline', { priorState: offline }, isOnline, [current, version('old')], 'offline null null'],
  ['what cannot be read is left', { priorState: online }, isOnline, 'APIG.1005 no', 'unreadable'],
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
  ['a version of what the file takes offline', inFile({ state: 'offline' }), one, true],
  ['offline, and the file says online', inFile({}), down, true],
  ['offline, and so says the file', inFile({ state: 'offline' }), down, false],
  ['a new version, and the file says online', inFile({}), asNew, false],
  ['a new version, and the file pins one', inFile({ version: 'other' }), asNew, true],
  ['a new version, and the file says offline', inFile({ state: 'offline' }), asNew, true],
  ['a version of what left the file', desiredState([], { prune: true }), one, true],
  ['offline of what left the file', desiredState([], { prune: true }), down, false],
  ['offline of what left a file that keeps it', desiredState([], { prune: false }), down, true],
  ['offline of what left the file and was put online by somebody else', desiredState([], { prune: true }), down, true, byHand],
];
for (const [name, file, restoration, isMissing, record = nowOnline] of files) {
  test(`the file ${isMissing ? 'must be changed for' : 'already declares'} ${name}`, () =>
    assert.is(filterMissingFromFile(file, recordedState([record]), [restoration]).length, isMissing ? 1 : 0));
}

test.run();
