import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Attempt } from '../../src/core/ports.ts';
import { publicationKey } from '../../src/core/publication.ts';
import { approvalJson, historyAttemptJson } from '../../src/words/attempt-json.ts';

const startedAtMs = Date.UTC(2026, 10, 20, 9, 30);

test('times are told in UTC, and an attempt without an outcome has none', () => {
  const attempt = { id: 7, api: 'orders', startedAtMs, finishedAtMs: null, outcome: null } as Attempt;
  assert.equal(historyAttemptJson(attempt), { id: 7, api: 'orders', outcome: null, began: '2026-11-20T09:30:00.000Z', settled: null });
  assert.is(historyAttemptJson({ ...attempt, finishedAtMs: startedAtMs + 40 }).settled, '2026-11-20T09:30:00.040Z');
});

test('an approval says how much it is for, and how much was made with it', () => {
  const digest = `sha256:${'0'.repeat(64)}`;
  const usedKeys = new Set([publicationKey('api-orders', 'env-test')]);
  const approval = {
    id: 3,
    digest,
    by: 'ada',
    reason: 'CHG-7',
    approvedAtMs: startedAtMs,
    expiresAtMs: startedAtMs + 3_600_000,
    scope: ['[]', '[]'],
    usedKeys,
    isFileHoldReleased: false,
  };
  assert.equal(approvalJson(approval), {
    ...{ id: 3, digest, by: 'ada', why: 'CHG-7', items: 2, plan: 1 },
    ...{ at: '2026-11-20T09:30:00Z', expires: '2026-11-20T10:30:00Z' },
  });
});

test.run();
