import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { ListedVersion } from '../../src/model/observation.ts';
import type { UnknownAttempt } from '../../src/model/recorded-state.ts';
import { resolveAttempt } from '../../src/plan/attempt-resolution.ts';
import { recorded, unknownAttemptOf } from '../support/states.ts';

const startedAtMs = 1_000 * 60_000;
const readAtMs = startedAtMs + 60_000;
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
  ['its version is effective: it happened', online, [other(false), mine(true)], ['applied', 'mine', 'online', 'mine', 'r2']],
  ['its version was followed by another: it happened', online, [other(true), mine(false)], ['applied', 'mine', 'online', 'other', 'r2']],
  ['its version was taken offline since: it happened', online, [mine(false)], ['applied', 'mine', 'offline', null, 'r2']],
  ['only others are there: it did not happen', online, [other(true)], ['notApplied', null, 'online', 'version', 'r1']],
  ['nothing is there: it did not happen', online, [], ['notApplied', null, 'online', 'version', 'r1']],
  ['without a marker nobody can tell', { ...online, marker: null }, [mine(true)], ['unknown', null, null, null, null]],
  ['nothing is effective: the offline happened', offline, [other(false)], ['applied', null, 'offline', null, null]],
  ['something is effective: the offline did not happen', offline, [other(true)], ['notApplied', null, 'online', 'version', 'r1']],
] as const satisfies readonly (readonly [string, UnknownAttempt, readonly ListedVersion[], readonly unknown[]])[]) {
  test(`${attempt.action}: ${title}`, () => {
    const before = recorded('orders', 'test', { revision: 'r1', unknownAttempt: attempt });
    const resolution = resolveAttempt(before, attempt, { versions, atMs: readAtMs });
    const next = resolution.kind === 'unknown' ? null : resolution.nextRecorded;
    const version = resolution.kind === 'applied' ? resolution.versionId : null;
    assert.equal([resolution.kind, version, next?.state ?? null, next?.versionId ?? null, next?.revision ?? null], expected);
    if (next) assert.is(next.unknownAttempt, null);
  });
}

for (const [title, versions, expected] of [
  ['published after it started', [unmarked(0)], 'unknown'],
  ['published after it started, and no longer effective', [other(true), unmarked(1, { isEffective: false })], 'unknown'],
  ['with a marker that the gateway has cut', [unmarked(0, { remark: 'x [edict ab' })], 'unknown'],
  ['published just before it started, as far as the clocks agree', [unmarked(-14)], 'unknown'],
  ['published long before it started', [unmarked(-16), unmarked(-10_000, { versionId: 'old' })], 'notApplied'],
  ['without a time', [unmarked(null)], 'unknown'],
  ['known before it started', [unmarked(0, { versionId: 'version' }), unmarked(null, { versionId: 'version' })], 'notApplied'],
  ['beside the version with its marker', [unmarked(1), mine(false)], 'applied'],
  ['with the marker of another attempt', [unmarked(1, { remark: 'x [edict abd]' })], 'notApplied'],
] as const satisfies readonly (readonly [string, readonly ListedVersion[], string])[]) {
  test(`online: a version ${title}: ${expected}`, () => {
    assert.is(resolveAttempt(recorded('orders', 'test', { unknownAttempt: online }), online, { versions, atMs: readAtMs }).kind, expected);
  });
}

test('online: a version without a marker may be its own if the clock was set back meanwhile, however old it looks: unknown', () => {
  const before = recorded('orders', 'test', { unknownAttempt: online });
  const read = { versions: [unmarked(-60)], atMs: startedAtMs - 30 * 60_000 };
  assert.is(resolveAttempt(before, online, read).kind, 'unknown');
});

test('a switch to a version that happened leaves the recorded revision as it is', () => {
  const switched: UnknownAttempt = { ...online, marker: null, version: 'other' };
  const resolution = resolveAttempt(recorded('orders', 'test', { revision: 'r1', unknownAttempt: switched }), switched, {
    versions: [other(true)],
    atMs: readAtMs,
  });
  assert.equal(resolution.kind === 'applied' && [resolution.nextRecorded.revision, resolution.nextRecorded.versionId], ['r1', 'other']);
});

test('an attempt against a drift that happened ends the drift and counts as its correction', () => {
  const drift = { from: 'online', fromSinceMs: null, detectedAtMs: 5, backoffUntilMs: null } as const;
  const before = recorded('orders', 'test', { state: 'offline', drift, correctionCount: 2, lastCorrectedAtMs: 4, unknownAttempt: online });
  const happened = resolveAttempt(before, online, { versions: [mine(true)], atMs: 99 });
  const next = happened.kind === 'applied' ? happened.nextRecorded : null;
  assert.equal([next?.state, next?.drift, next?.correctionCount, next?.lastCorrectedAtMs], ['online', null, 3, 99]);
  const absent = resolveAttempt(before, online, { versions: [], atMs: 99 });
  const still = absent.kind === 'notApplied' ? absent.nextRecorded : null;
  assert.equal([still?.state, still?.drift, still?.correctionCount, still?.lastCorrectedAtMs], ['offline', drift, 2, 4]);
});

test.run();
