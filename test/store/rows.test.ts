import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { toAttempt, toRecordedPublication } from '../../src/store/rows.ts';
import { recorded, unknownAttemptOf } from '../support/states.ts';

const names = { api: 'orders', api_id: 'api-orders', environment: 'test', environment_id: 'env-test' };
const unobserved = {
  ...{
    publish_id: null,
    published_at_ms: null,
    edited_at_ms: null,
    corrections: 0,
    corrected_at_ms: null,
    changed_at_ms: null,
    was_declared: 0,
  },
  ...{ drift_from: null, drift_from_since_ms: null, drift_detected_at_ms: null, drift_backoff_until_ms: null },
};

test('a row of a publication becomes its recorded state', () => {
  const row = { ...names, ...unobserved, state: 'online', revision: 'r', version_id: 'v', recorded_at_ms: 5 };
  const resolved = { ...row, unknown_attempt_id: null, unknown_action: null, unknown_revision: null };
  const expected = recorded('orders', 'test', { revision: 'r', versionId: 'v', recordedAtMs: 5 });
  assert.equal(toRecordedPublication(resolved), expected);
  const pending = {
    ...row,
    unknown_attempt_id: 3,
    unknown_action: 'offline',
    unknown_revision: null,
    unknown_marker: null,
    unknown_started_at_ms: 1,
    unknown_send_by_ms: 2,
    unknown_version: 'v3',
    unknown_ended_at_ms: null,
  };
  assert.equal(toRecordedPublication(pending), {
    ...expected,
    unknownAttempt: unknownAttemptOf({ attemptId: 3, action: 'offline', version: 'v3', sendByMs: 2 }),
  });
});

test('the observed state is part of the recorded state', () => {
  const row = { ...names, ...unobserved, state: 'offline', revision: null, version_id: null, recorded_at_ms: 5, unknown_attempt_id: null };
  const seen = {
    publish_id: 'p',
    published_at_ms: 1,
    edited_at_ms: 2,
    corrections: 3,
    corrected_at_ms: 4,
    changed_at_ms: 5,
    was_declared: 1,
  };
  const drift = { drift_from: 'online', drift_from_since_ms: 5, drift_detected_at_ms: 6, drift_backoff_until_ms: 7 };
  assert.equal(
    toRecordedPublication({ ...row, ...seen, ...drift }),
    recorded('orders', 'test', {
      ...{
        state: 'offline',
        versionId: null,
        recordedAtMs: 5,
        publishId: 'p',
        publishedAtMs: 1,
        editedAtMs: 2,
        correctionCount: 3,
        lastCorrectedAtMs: 4,
        changedAtMs: 5,
        wasDeclared: true,
      },
      drift: { from: 'online', fromSinceMs: 5, detectedAtMs: 6, backoffUntilMs: 7 },
    }),
  );
});

test('empty columns stay null, and an empty text stays a text', () => {
  const row = { ...names, ...unobserved, state: null, revision: '', version_id: null, recorded_at_ms: 5, unknown_attempt_id: null };
  assert.equal(toRecordedPublication(row), recorded('orders', 'test', { state: null, revision: '', versionId: null, recordedAtMs: 5 }));
});

test('a row of an attempt becomes the attempt', () => {
  const texts = { code: 'C', message: 'm', request_id: 'q', version_id: 'v', publish_id: 'p' };
  const row = {
    id: 1,
    requested_version_id: null,
    reconcile_id: 'a',
    ...names,
    action: 'online',
    reason: 'new',
    revision: null,
    remark: null,
    started_at_ms: 1,
  };
  const { message, code, requestId, versionId, publishId, status, finishedAtMs, outcome } = toAttempt({
    ...row,
    ...texts,
    status: 500,
    finished_at_ms: 2,
    outcome: 'retryable',
  });
  assert.equal([message, code, requestId, versionId, publishId], ['m', 'C', 'q', 'v', 'p']);
  assert.equal([status, finishedAtMs, outcome], [500, 2, 'retryable']);
  const open = toAttempt({
    ...row,
    finished_at_ms: null,
    outcome: null,
    status: null,
    ...Object.fromEntries(Object.keys(texts).map((key) => [key, null])),
  });
  assert.equal([open.finishedAtMs, open.outcome, open.status, open.code, open.requestId], [null, null, null, null, null]);
});

test.run();
