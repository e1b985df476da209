import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Explanation } from '../../../src/app/explanation.ts';
import { parseSettings } from '../../../src/app/settings.ts';
import { explanationJson } from '../../../src/cli/output/explanation-json.ts';
import { computeNextStep } from '../../../src/cli/output/next-step.ts';
import { explanation } from '../../support/explanations.ts';
import { recorded, unknownAttemptOf } from '../../support/states.ts';

const startedAtMs = Date.UTC(2026, 10, 20, 9, 30);
const at = '2026-11-20T09:30:00Z';
const json = (of: Explanation) => explanationJson(of, computeNextStep(of, parseSettings(undefined, {})));

test('the document has every part, with timestamps as text', () => {
  const drift = { from: 'online', fromSinceMs: startedAtMs, detectedAtMs: startedAtMs, backoffUntilMs: startedAtMs } as const;
  const unknownAttempt = unknownAttemptOf({ attemptId: 9, marker: 'cafe', endedAtMs: startedAtMs });
  const record = {
    recordedAtMs: startedAtMs,
    publishedAtMs: startedAtMs,
    drift,
    correctionCount: 3,
    lastCorrectedAtMs: startedAtMs,
    unknownAttempt,
  };
  const made = json(explanation({ file: { revision: 'r' }, record, report: { startedAtMs, code: 'X' }, hint: 'mend it', protects: true }));
  assert.equal(Object.keys(made), [
    ...['format', 'gateway', 'emulated', 'api', 'apiId', 'environment', 'environmentId', 'desired', 'recorded', 'observed', 'attempts'],
    ...['next', 'fileHeld', 'notices', 'daemon'],
  ]);
  const source = { file: 'edict.yaml', line: 1, column: 1, text: '      test: online' };
  assert.equal(made.desired, { state: 'online', revision: 'r', remark: null, version: null, drift: 'report', protected: true, source });
  assert.equal(made.recorded, {
    ...{ state: 'online', revision: null, versionId: 'version', recordedAt: at, publishedAt: at, editedAt: null },
    drift: { from: 'online', since: at, detectedAt: at, backoffUntil: at },
    ...{ corrections: 3, correctedAt: at, unknownAttempt: { attempt: 9, action: 'online', marker: 'cafe', endedAt: at } },
  });
  assert.equal(made.observed, { kind: 'notObserved', wasObserved: false });
  assert.equal([made.attempts[0]?.startedAt, made.attempts[0]?.hint], ['2026-11-20T09:30:00.000Z', 'mend it']);
  assert.equal([made.next.deferred, made.fileHeld], [null, null]);
  assert.equal([made.next.kind, made.next.action, made.next.reason, made.next.held], ['unknown', 'online', 'unknown', null]);
});

test('it has the hold, the notices and null for an unresolved ID', () => {
  const held = json(explanation({ file: { state: 'offline' }, record: {}, protects: true }));
  assert.equal([held.next.kind, held.next.held?.rule], ['held', 'protected']);
  const calm = explanation({ file: {} });
  const deferred = { rule: 'freeze', message: 'frozen', untilMs: startedAtMs } as const;
  const fileHeld = { rule: 'maxRemoved', message: 'it lost much', hint: 'check it', affected: ['x'] } as const;
  const [change] = calm.plan.changes;
  const waiting = json({ ...calm, plan: { ...calm.plan, fileHeld, changes: change ? [{ ...change, deferred }] : [] } });
  assert.equal(waiting.next.deferred, { rule: 'freeze', message: 'frozen', until: at });
  assert.equal(waiting.fileHeld, { rule: 'maxRemoved', message: 'it lost much', hint: 'check it' });
  const stale = json(explanation({ file: {}, record: { publishedAtMs: 1, editedAtMs: startedAtMs } }));
  assert.equal([stale.next.kind, stale.notices[0]?.kind], ['outdated', 'outdated']);
  const made = json({ ...explanation({ file: {} }), isPlaceholder: { api: true, environment: true } });
  assert.equal([made.apiId, made.environmentId, made.recorded, made.daemon], [null, null, null, null]);
});

test('it has the observed state', () => {
  const version = { versionId: 'v7', versionNumber: '', remark: '', publishedAtMs: startedAtMs, isEffective: true };
  const seen = { kind: 'observed', recorded: recorded('orders', 'test', { editedAtMs: startedAtMs }), versions: [version] } as const;
  assert.equal(json(explanation({ file: {}, record: {}, seen })).observed, {
    ...{ kind: 'observed', state: 'online', publishedAt: null, editedAt: at, effectiveVersionId: 'v7', versions: 1 },
  });
});

test.run();
