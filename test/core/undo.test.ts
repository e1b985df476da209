import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Attempt } from '../../src/core/ports.ts';
import type { RecordedPublication } from '../../src/core/publication.ts';
import type { ListedVersion } from '../../src/core/resolve.ts';
import { againstFile, desiredBefore, isAsRecorded, openWays, undoable, type WayBack } from '../../src/core/undo.ts';
import { attemptAt } from '../support/saved-plans.ts';
import { desiredState, recorded, recordedState, wanted } from '../support/states.ts';

const unresolved = { attemptId: 42, action: 'online', revision: null, version: null, marker: null, overAtMs: null } as const;
const nothing = { state: null, revision: null, versionId: null } as const;
const offline = { state: 'offline', revision: 'r1', versionId: null } as const;
const online = { state: 'online', revision: 'r1', versionId: 'old' } as const;
const wentOffline = { action: 'offline', versionId: null } as const;
const isOffline = { state: 'offline', versionId: null } as const;
const isOnline = { state: 'online', versionId: 'new' } as const;

/** Returns the way back, in short, or why there is none. */
function back(attempt: Partial<Attempt>, now: Partial<RecordedPublication>, later: readonly Attempt[] = []): string {
  const { ways, left } = undoable([attemptAt('orders', 'test', attempt)], later, recordedState([recorded('orders', 'test', now)]));
  const [way] = ways;
  return way ? `${way.to} ${way.version} ${way.revision}` : (left[0]?.why.kind ?? 'none');
}

const rows: readonly [name: string, attempt: Partial<Attempt>, now: Partial<RecordedPublication>, expected: string][] = [
  ['what was new goes offline', { before: nothing }, isOnline, 'offline null null'],
  ['what was offline goes offline again', { before: offline }, isOnline, 'offline null r1'],
  ['what replaced a version is switched back', { before: online }, isOnline, 'online old r1'],
  ['what replaced a version that was not known stays', { before: { ...online, versionId: null } }, isOnline, 'unknown version'],
  ['what went offline comes back with its version', { ...wentOffline, before: online }, isOffline, 'online old r1'],
  [
    'what went offline with a version that was not known comes back',
    { ...wentOffline, before: { ...online, versionId: null } },
    isOffline,
    'online null r1',
  ],
  ['nothing is known of an older attempt', { before: null }, isOnline, 'unrecorded'],
  ['an offline before which nothing was recorded has no inverse', { ...wentOffline, before: nothing }, isOffline, 'unrecorded'],
  ['an offline of what was offline has nothing to undo', { ...wentOffline, before: offline }, isOffline, 'same'],
  ['a switch to the version that was effective has nothing to undo', { before: { ...online, versionId: 'new' } }, isOnline, 'same'],
  [
    'a switch is known by the version it asked for',
    { versionId: null, askedVersionId: 'pin', before: online },
    { ...isOnline, versionId: 'pin' },
    'online old r1',
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
  assert.is(back({ before: online }, isOnline, [attemptAt('carts', 'test', { id: 43 })]), 'online old r1');
});

test('what a pass did to one publication is undone together', () => {
  const attempts = [
    attemptAt('orders', 'test', { id: 1, before: online, versionId: 'v2' }),
    attemptAt('orders', 'test', { id: 2, outcome: 'retry', before: online }),
    attemptAt('orders', 'test', { id: 3, before: { ...online, versionId: 'v2' }, versionId: 'new' }),
  ];
  const { ways, left } = undoable(attempts, attempts, recordedState([recorded('orders', 'test', isOnline)]));
  assert.equal(
    ways.map(({ attempt, version }) => [attempt, version]),
    [[3, 'old']],
  );
  assert.equal(left, []);
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

/** Returns what is open of one way back at a gateway that keeps `versions`. */
function open(attempt: Partial<Attempt>, now: Partial<RecordedPublication>, versions: readonly ListedVersion[] | string): string {
  const state = recordedState([recorded('orders', 'test', now)]);
  const found = undoable([attemptAt('orders', 'test', attempt)], [], state);
  const { ways, left } = openWays(found, state, new Map(found.ways.map(({ key }) => [key, versions])));
  const [way] = ways;
  return way ? `${way.to} ${way.version} ${way.asNew}${way.mayHaveBeenOnline ? ' doubtful' : ''}` : (left[0]?.why.kind ?? 'none');
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

const way: WayBack = {
  ...{ key: wanted('orders', 'test').key, api: 'orders', apiId: 'api-orders', environment: 'test', environmentId: 'env-test' },
  ...{ attempt: 42, madeAtMs: 1, to: 'online', revision: 'r1', version: 'old', asNew: null, mayHaveBeenOnline: false },
};

test('only what is undone is wanted otherwise than in the file', () => {
  const file = desiredState([wanted('orders', 'test', { revision: 'r2', remark: 'hi' }), wanted('carts', 'test')], {
    observeEveryMs: 1000,
  });
  const before = desiredBefore(file, [way]);
  assert.equal([...before.undoes], [way.key]);
  assert.is(before.observeEveryMs, null);
  const orders = before.publications.get(way.key);
  assert.equal([orders?.revision, orders?.version, orders?.remark], ['r1', 'old', 'hi']);
  assert.is(before.publications.get(wanted('carts', 'test').key), file.publications.get(wanted('carts', 'test').key));
  assert.is(desiredBefore(desiredState([]), [way]).publications.get(way.key)?.version, 'old');
});

test('the file is to be changed only where it would have something else', () => {
  const now = recordedState([recorded('orders', 'test', { ...isOnline, revision: 'r2' })]);
  const against = (over: object, one: WayBack = way): number =>
    againstFile(desiredState([wanted('orders', 'test', over)]), now, [one]).length;
  assert.is(against({ revision: 'r2' }), 1);
  assert.is(against({ revision: 'r1' }), 0);
  assert.is(against({ revision: 'r2', version: 'old' }), 0);
  assert.is(against({}, { ...way, to: 'offline', version: null }), 1);
  assert.is(against({ state: 'offline' }, { ...way, to: 'offline', version: null }), 0);
  assert.is(againstFile(desiredState([], { removed: 'keep' }), now, [way]).length, 0);
  assert.is(againstFile(desiredState([], { removed: 'offline' }), now, [way]).length, 1);
});

test.run();
