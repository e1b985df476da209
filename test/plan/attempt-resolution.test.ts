import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { ListedVersion } from '../../src/model/observation.ts';
import type { UnknownAttempt } from '../../src/model/recorded-state.ts';
import { resolveAttempt } from '../../src/plan/attempt-resolution.ts';
import { recorded, unknownAttemptOf } from '../support/states.ts';

const startedAtMs = 1_000 * 60_000;
const online = unknownAttemptOf({ revision: 'r2', marker: 'abc', startedAtMs });
const offline = unknownAttemptOf({ action: 'offline', startedAtMs });
const mine = (isEffective: boolean): ListedVersion => ({
  versionId: 'mine',
  versionNumber: '',
  publishedAtMs: null,
  remark: 'x [edict abc]',
  isEffective,
});
const other = (isEffective: boolean): ListedVersion => ({
  versionId: 'other',
  versionNumber: '',
  publishedAtMs: null,
  remark: 'x [edict abd]',
  isEffective,
});
/** A version without a marker, published `minutes` after the attempt started; `null`: the gateway reports no time. */
const unmarked = (minutes: number | null, over: Partial<ListedVersion> = {}): ListedVersion => ({
  versionId: 'unmarked',
  versionNumber: '',
  publishedAtMs: minutes === null ? null : startedAtMs + minutes * 60_000,
  remark: 'x',
  isEffective: true,
  ...over,
});

for (const [title, attempt, versions, expected] of [
  ['its version is effective: it took effect', online, [other(false), mine(true)], ['applied', 'mine', 'online', 'mine', 'r2']],
  ['its version was followed by another: it took effect', online, [other(true), mine(false)], ['applied', 'mine', 'online', 'other', 'r2']],
  ['its version was taken offline since: it took effect', online, [mine(false)], ['applied', 'mine', 'offline', null, 'r2']],
  ['only others are there: it did not take effect', online, [other(true)], ['notApplied', null, 'online', 'version', 'r1']],
  ['nothing is there: it did not take effect', online, [], ['notApplied', null, 'online', 'version', 'r1']],
  ['without a marker the outcome stays unknown', { ...online, marker: null }, [mine(true)], ['unknown', null, null, null, null]],
  ['nothing is effective: the offline took effect', offline, [other(false)], ['applied', null, 'offline', null, null]],
  ['something is effective: the offline did not take effect', offline, [other(true)], ['notApplied', null, 'online', 'version', 'r1']],
] as const satisfies readonly (readonly [string, UnknownAttempt, readonly ListedVersion[], readonly unknown[]])[]) {
  test(`${attempt.action}: ${title}`, () => {
    const before = recorded('orders', 'test', { revision: 'r1', unknownAttempt: attempt });
    const resolution = resolveAttempt(before, attempt, versions, 99);
    const next = resolution.kind === 'unknown' ? null : resolution.nextRecorded;
    const version = resolution.kind === 'applied' ? resolution.versionId : null;
    assert.equal([resolution.kind, version, next?.state ?? null, next?.versionId ?? null, next?.revision ?? null], expected);
    if (next) assert.is(next.unknownAttempt, null);
  });
}

test('a switch to a version that took effect keeps the recorded revision', () => {
  const switched: UnknownAttempt = { ...online, marker: null, version: 'other' };
  const resolution = resolveAttempt(recorded('orders', 'test', { revision: 'r1', unknownAttempt: switched }), switched, [other(true)], 99);
  assert.equal(resolution.kind === 'applied' && [resolution.nextRecorded.revision, resolution.nextRecorded.versionId], ['r1', 'other']);
});

test('an attempt to correct a drift that took effect ends the drift and counts as its correction', () => {
  const drift = { from: 'online', fromSinceMs: null, detectedAtMs: 5, backoffUntilMs: null } as const;
  const before = recorded('orders', 'test', { state: 'offline', drift, correctionCount: 2, lastCorrectedAtMs: 4, unknownAttempt: online });
  const happened = resolveAttempt(before, online, [mine(true)], 99);
  const next = happened.kind === 'applied' ? happened.nextRecorded : null;
  assert.equal([next?.state, next?.drift, next?.correctionCount, next?.lastCorrectedAtMs], ['online', null, 3, 99]);
  const absent = resolveAttempt(before, online, [], 99);
  const still = absent.kind === 'notApplied' ? absent.nextRecorded : null;
  assert.equal([still?.state, still?.drift, still?.correctionCount, still?.lastCorrectedAtMs], ['offline', drift, 2, 4]);
});

test.run();
