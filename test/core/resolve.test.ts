import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { UnresolvedAttempt } from '../../src/core/publication.ts';
import { type ListedVersion, resolveAttempt } from '../../src/core/resolve.ts';
import { recorded } from '../support/states.ts';

const online: UnresolvedAttempt = { attemptId: 7, action: 'online', revision: 'r2', marker: 'abc', version: null, overAtMs: null };
const offline: UnresolvedAttempt = { attemptId: 7, action: 'offline', revision: null, marker: null, version: null, overAtMs: null };
const mine = (isEffective: boolean): ListedVersion => ({
  versionId: 'mine',
  number: '',
  publishedAtMs: null,
  remark: 'x [edict abc]',
  isEffective,
});
const other = (isEffective: boolean): ListedVersion => ({
  versionId: 'other',
  number: '',
  publishedAtMs: null,
  remark: 'x [edict abd]',
  isEffective,
});

for (const [title, attempt, versions, expected] of [
  ['its version is effective: it happened', online, [other(false), mine(true)], ['happened', 'mine', 'online', 'mine', 'r2']],
  ['its version was followed by another: it happened', online, [other(true), mine(false)], ['happened', 'mine', 'online', 'other', 'r2']],
  ['its version was taken offline since: it happened', online, [mine(false)], ['happened', 'mine', 'offline', null, 'r2']],
  ['only others are there: it did not happen', online, [other(true)], ['absent', null, 'online', 'version', 'r1']],
  ['nothing is there: it did not happen', online, [], ['absent', null, 'online', 'version', 'r1']],
  ['without a marker nobody can tell', { ...online, marker: null }, [mine(true)], ['untold', null, null, null, null]],
  ['nothing is effective: the offline happened', offline, [other(false)], ['happened', null, 'offline', null, null]],
  ['something is effective: the offline did not happen', offline, [other(true)], ['absent', null, 'online', 'version', 'r1']],
] as const satisfies readonly (readonly [string, UnresolvedAttempt, readonly ListedVersion[], readonly unknown[]])[]) {
  test(`${attempt.action}: ${title}`, () => {
    const before = recorded('orders', 'test', { revision: 'r1', unresolved: attempt });
    const resolution = resolveAttempt(before, attempt, versions, 99);
    const next = resolution.kind === 'untold' ? null : resolution.next;
    const version = resolution.kind === 'happened' ? resolution.versionId : null;
    assert.equal([resolution.kind, version, next?.state ?? null, next?.versionId ?? null, next?.revision ?? null], expected);
    if (next) assert.is(next.unresolved, null);
  });
}

test('a switch to a version that happened leaves the recorded revision as it is', () => {
  const switched: UnresolvedAttempt = { ...online, marker: null, version: 'other' };
  const resolution = resolveAttempt(recorded('orders', 'test', { revision: 'r1', unresolved: switched }), switched, [other(true)], 99);
  assert.equal(resolution.kind === 'happened' && [resolution.next.revision, resolution.next.versionId], ['r1', 'other']);
});

test('an attempt against a drift that happened ends the drift and counts as its correction', () => {
  const drift = { from: 'online', fromSinceMs: null, seenAtMs: 5, truceUntilMs: null } as const;
  const before = recorded('orders', 'test', { state: 'offline', drift, corrections: 2, correctedAtMs: 4, unresolved: online });
  const happened = resolveAttempt(before, online, [mine(true)], 99);
  const next = happened.kind === 'happened' ? happened.next : null;
  assert.equal([next?.state, next?.drift, next?.corrections, next?.correctedAtMs], ['online', null, 3, 99]);
  const absent = resolveAttempt(before, online, [], 99);
  const still = absent.kind === 'absent' ? absent.next : null;
  assert.equal([still?.state, still?.drift, still?.corrections, still?.correctedAtMs], ['offline', drift, 2, 4]);
});

test.run();
