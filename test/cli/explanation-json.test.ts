import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { explanationJson } from '../../src/cli/explanation-json.ts';
import { nextStepOf } from '../../src/cli/next-step.ts';
import { settingsFrom } from '../../src/config.ts';
import type { Explanation } from '../../src/explanation.ts';
import { explanation } from '../support/explanations.ts';
import { recorded } from '../support/states.ts';

const atMs = Date.UTC(2026, 10, 20, 9, 30);
const at = '2026-11-20T09:30:00Z';
const json = (of: Explanation) => explanationJson(of, nextStepOf(of, settingsFrom(undefined, {})));

test('every part is there, with times in words', () => {
  const drift = { from: 'online', fromSinceMs: atMs, seenAtMs: atMs, truceUntilMs: atMs } as const;
  const unresolved = { attemptId: 9, action: 'online', revision: null, version: null, marker: 'cafe', overAtMs: atMs } as const;
  const record = { recordedAtMs: atMs, publishedAtMs: atMs, drift, corrections: 3, correctedAtMs: atMs, unresolved };
  const made = json(
    explanation({ file: { revision: 'r' }, record, tried: { beganAtMs: atMs, code: 'X' }, hint: 'mend it', protects: true }),
  );
  assert.equal(Object.keys(made), [
    ...['format', 'gateway', 'api', 'apiId', 'environment', 'environmentId', 'desired', 'recorded', 'observed', 'attempts', 'next'],
    ...['suspicion', 'seen', 'daemon'],
  ]);
  const source = { file: 'edict.yaml', line: 1, column: 1, text: '      test: online' };
  assert.equal(made.desired, { state: 'online', revision: 'r', remark: null, version: null, drift: 'report', protected: true, source });
  assert.equal(made.recorded, {
    ...{ state: 'online', revision: null, versionId: 'version', recordedAt: at, publishedAt: at, editedAt: null },
    drift: { from: 'online', since: at, seen: at, leftAloneUntil: at },
    ...{ corrections: 3, correctedAt: at, unresolved: { attempt: 9, action: 'online', marker: 'cafe', over: at } },
  });
  assert.equal(made.observed, { kind: 'unasked', wasAsked: false });
  assert.equal([made.attempts[0]?.began, made.attempts[0]?.hint], ['2026-11-20T09:30:00.000Z', 'mend it']);
  assert.equal([made.next.waits, made.suspicion], [null, null]);
  assert.equal([made.next.kind, made.next.action, made.next.reason, made.next.held], ['unresolved', 'online', 'unresolved', null]);
});

test('what holds it, what was seen, and an ID that nobody knows yet', () => {
  const held = json(explanation({ file: { state: 'offline' }, record: {}, protects: true }));
  assert.equal([held.next.kind, held.next.held?.rule], ['held', 'protected']);
  const calm = explanation({ file: {} });
  const waits = { rule: 'freeze', message: 'frozen', untilMs: atMs } as const;
  const suspicion = { rule: 'lost', message: 'it lost much', hint: 'check it', lost: ['x'] } as const;
  const [change] = calm.plan.changes;
  const waiting = json({ ...calm, plan: { ...calm.plan, suspicion, changes: change ? [{ ...change, waits }] : [] } });
  assert.equal(waiting.next.waits, { rule: 'freeze', message: 'frozen', until: at });
  assert.equal(waiting.suspicion, { rule: 'lost', message: 'it lost much', hint: 'check it' });
  const stale = json(explanation({ file: {}, record: { publishedAtMs: 1, editedAtMs: atMs } }));
  assert.equal([stale.next.kind, stale.seen[0]?.kind], ['stale', 'stale']);
  const made = json({ ...explanation({ file: {} }), isMadeUp: { api: true, environment: true } });
  assert.equal([made.apiId, made.environmentId, made.recorded, made.daemon], [null, null, null, null]);
});

test('what the gateway shows', () => {
  const version = { versionId: 'v7', number: '', remark: '', publishedAtMs: atMs, isEffective: true };
  const seen = { kind: 'seen', recorded: recorded('orders', 'test', { editedAtMs: atMs }), versions: [version] } as const;
  assert.equal(json(explanation({ file: {}, record: {}, seen })).observed, {
    ...{ kind: 'seen', state: 'online', publishedAt: null, editedAt: at, effectiveVersionId: 'v7', versions: 1 },
  });
});

test.run();
