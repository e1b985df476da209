import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Attempt } from '../../src/core/ports.ts';
import type { DesiredState, RecordedPublication } from '../../src/core/publication.ts';
import type { ListedVersion } from '../../src/core/resolve.ts';
import { isAsRecorded, missingFromFile, type Restoration, restorable, undoable } from '../../src/core/undo.ts';
import { attemptAt } from '../support/saved-plans.ts';
import { desiredState, recorded, recordedState, wanted } from '../support/states.ts';

const unresolved = { attemptId: 42, action: 'online', revision: null, version: null, marker: null, overAtMs: null } as const;
const nothing = { state: null, revision: null, versionId: null } as const;
const offline = { state: 'offline', revision: 'r1', versionId: null } as const;
const online = { state: 'online', revision: 'r1', versionId: 'old' } as const;
const wentOffline = { action: 'offline', versionId: null } as const;
const isOffline = { state: 'offline', versionId: null } as const;
const isOnline = { state: 'online', versionId: 'new' } as const;

/** Returns the state that is restored, in short, or why none is. */
function back(attempt: Partial<Attempt>, now: Partial<RecordedPublication>, later: readonly Attempt[] = []): string {
  const found = undoable([attemptAt('orders', 'test', attempt)], later, recordedState([recorded('orders', 'test', now)]));
  const [one] = found.restored;
  return one ? `${one.state} ${one.version}${one.asNew ? ` as new: ${one.asNew}` : ''}` : (found.notRestored[0]?.why.kind ?? 'none');
}

const rows: readonly [name: string, attempt: Partial<Attempt>, now: Partial<RecordedPublication>, expected: string][] = [
  ['what was new goes offline', { before: nothing }, isOnline, 'offline null'],
  ['what was offline goes offline again', { before: offline }, isOnline, 'offline null'],
  ['what replaced a version gets it back', { before: online }, isOnline, 'online old'],
  ['what replaced a version that was not known stays', { before: { ...online, versionId: null } }, isOnline, 'unknown version'],
  ['what went offline comes back with its version', { ...wentOffline, before: online }, isOffline, 'online old'],
  [
    'what went offline with a version that was not known comes back',
    { ...wentOffline, before: { ...online, versionId: null } },
    isOffline,
    'online null as new: unknown',
  ],
  ['nothing is known of an older attempt', { before: null }, isOnline, 'unrecorded'],
  ['an offline before which nothing was recorded has no inverse', { ...wentOffline, before: nothing }, isOffline, 'unrecorded'],
  ['an offline of what was offline has nothing to undo', { ...wentOffline, before: offline }, isOffline, 'same'],
  ['a switch to the version that was effective has nothing to undo', { before: { ...online, versionId: 'new' } }, isOnline, 'same'],
  [
    'a switch is known by the version it asked for',
    { versionId: null, askedVersionId: 'pin', before: online },
    { ...isOnline, versionId: 'pin' },
    'online old',
  ],
  ['another version has been made effective since', { before: online }, { ...isOnline, versionId: 'other' }, 'outside'],
  ['it has been taken offline since', { before: online }, isOffline, 'outside'],
  [
    'a drift has been seen since',
    { before: online },
    { ...isOnline, drift: { from: 'online', fromSinceMs: 1, seenAtMs: 2, truceUntilMs: null } },
    'outside',
  ],
  ['an attempt has no known outcome', { before: online }, { ...isOnline, unresolved: { ...unresolved, attemptId: 50 } }, 'unresolved'],
  ['its own outcome is not known', { outcome: null, before: online }, { ...isOnline, unresolved }, 'unresolved'],
  ['it has failed', { outcome: 'stalled', before: online }, isOnline, 'none'],
];
for (const [name, attempt, now, expected] of rows) test(name, () => assert.is(back(attempt, now), expected));

test('a later attempt has moved it, and one before has not', () => {
  assert.is(back({ before: online }, isOnline, [attemptAt('orders', 'test', { id: 43 })]), 'later');
  assert.is(back({ before: online }, isOnline, [attemptAt('carts', 'test', { id: 43 })]), 'online old');
});

test('what a pass did to one publication is undone together', () => {
  const attempts = [
    attemptAt('orders', 'test', { id: 1, before: online, versionId: 'v2' }),
    attemptAt('orders', 'test', { id: 2, outcome: 'retry', before: online }),
    attemptAt('orders', 'test', { id: 3, before: { ...online, versionId: 'v2' }, versionId: 'new' }),
  ];
  const { restored, notRestored } = undoable(attempts, attempts, recordedState([recorded('orders', 'test', isOnline)]));
  assert.equal(
    restored.map(({ attempt, version }) => [attempt, version]),
    [[3, 'old']],
  );
  assert.equal(notRestored, []);
});

const version = (versionId: string, over: Partial<ListedVersion> = {}): ListedVersion => ({
  ...{ versionId, number: '', remark: '', publishedAtMs: 1, isEffective: false },
  ...over,
});

test('the gateway shows what is recorded, or it has moved', () => {
  const shows = (now: Partial<RecordedPublication>, ...versions: readonly ListedVersion[]): boolean =>
    isAsRecorded(recorded('orders', 'test', now), versions);
  assert.ok(shows(isOnline, version('old'), version('new', { isEffective: true })));
  assert.not.ok(shows(isOnline, version('old', { isEffective: true }), version('new')));
  assert.not.ok(shows(isOnline, version('new')));
  assert.ok(shows({ ...isOnline, versionId: null }, version('any', { isEffective: true })));
  assert.ok(shows(isOffline, version('old')));
  assert.not.ok(shows(isOffline, version('old', { isEffective: true })));
  assert.ok(isAsRecorded(undefined, []));
});

/** Returns what can be restored at a gateway that keeps `versions`. */
function open(attempt: Partial<Attempt>, now: Partial<RecordedPublication>, versions: readonly ListedVersion[] | string): string {
  const state = recordedState([recorded('orders', 'test', now)]);
  const found = undoable([attemptAt('orders', 'test', attempt)], [], state);
  const { restored, notRestored } = restorable(found, state, new Map(found.restored.map(({ key }) => [key, versions])));
  const [one] = restored;
  return one ? `${one.state} ${one.version} ${one.asNew}${one.mayHaveBeenOnline ? ' doubtful' : ''}` : (notRestored[0]?.why.kind ?? 'none');
}

const current = version('new', { isEffective: true, publishedAtMs: 5_000_000 });
const gateways: readonly [name: string, Partial<Attempt>, Partial<RecordedPublication>, readonly ListedVersion[] | string, string][] = [
  ['a kept version is switched to', { before: online }, isOnline, [current, version('old')], 'online old null'],
  ['a version that is gone cannot be brought back', { before: online }, isOnline, [current], 'gone'],
  ['what was moved by somebody else is left', { before: online }, isOnline, [version('old', { isEffective: true })], 'outside'],
  ['what went offline comes back with its version', { ...wentOffline, before: online }, isOffline, [version('old')], 'online old null'],
  [
    'what went offline with a version that is gone comes back as a new one',
    { ...wentOffline, before: online },
    isOffline,
    [],
    'online null gone',
  ],
  [
    'and so it does with one that was not known',
    { ...wentOffline, before: { ...online, versionId: null } },
    isOffline,
    [version('old')],
    'online null unknown',
  ],
  [
    'what was put online by somebody else is left',
    { ...wentOffline, before: online },
    isOffline,
    [version('old', { isEffective: true })],
    'outside',
  ],
  ['what was new goes offline', { before: nothing }, isOnline, [current], 'offline null null'],
  [
    'an older version says that it may have been online',
    { before: nothing },
    isOnline,
    [current, version('old')],
    'offline null null doubtful',
  ],
  ['but not where it was recorded offline', { before: offline }, isOnline, [current, version('old')], 'offline null null'],
  ['what cannot be read is left', { before: online }, isOnline, 'APIG.1005 no', 'unread'],
];
for (const [name, attempt, now, versions, expected] of gateways) {
  test(`at the gateway ${name}`, () => assert.is(open(attempt, now, versions), expected));
}

const one: Restoration = {
  ...{ key: wanted('orders', 'test').key, api: 'orders', apiId: 'api-orders', environment: 'test', environmentId: 'env-test' },
  ...{ attempt: 42, madeAtMs: 1, state: 'online', version: 'old', asNew: null, mayHaveBeenOnline: false },
};
const down: Restoration = { ...one, state: 'offline', version: null };
const asNew: Restoration = { ...one, version: null, asNew: 'gone' };
const nowOnline = recorded('orders', 'test', { ...isOnline, revision: 'r2' });
const byHand = { ...nowOnline, drift: { from: null, fromSinceMs: null, seenAtMs: 2, truceUntilMs: null } };

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
  ['a version of what left the file', desiredState([], { removed: 'offline' }), one, true],
  ['offline of what left the file', desiredState([], { removed: 'offline' }), down, false],
  ['offline of what left a file that keeps it', desiredState([], { removed: 'keep' }), down, true],
  ['offline of what left the file and was put online by somebody else', desiredState([], { removed: 'offline' }), down, true, byHand],
];
for (const [name, file, restoration, isMissing, record = nowOnline] of files) {
  test(`the file ${isMissing ? 'must be changed for' : 'asks already for'} ${name}`, () =>
    assert.is(missingFromFile(file, recordedState([record]), [restoration]).length, isMissing ? 1 : 0));
}

test.run();
