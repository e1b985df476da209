import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Attempt } from '../../src/core/ports.ts';
import { publicationKey } from '../../src/core/publication.ts';
import { approvalJson, attemptJson } from '../../src/words/attempt-json.ts';

const atMs = Date.UTC(2026, 10, 20, 9, 30);

test('times are told in UTC, and an attempt without an outcome has none', () => {
  const attempt = { id: 7, api: 'orders', beganAtMs: atMs, settledAtMs: null, outcome: null } as Attempt;
  assert.equal(attemptJson(attempt), { id: 7, api: 'orders', outcome: null, began: '2026-11-20T09:30:00.000Z', settled: null });
  assert.is(attemptJson({ ...attempt, settledAtMs: atMs + 40 }).settled, '2026-11-20T09:30:00.040Z');
});

test('an approval says how much it is for, and how much was made with it', () => {
  const digest = `sha256:${'0'.repeat(64)}`;
  const done = new Set([publicationKey('api-orders', 'env-test')]);
  const approval = {
    id: 3,
    digest,
    by: 'ada',
    why: 'CHG-7',
    atMs,
    expiresAtMs: atMs + 3_600_000,
    work: ['[]', '[]'],
    done,
    isSpent: false,
  };
  assert.equal(approvalJson(approval), {
    ...{ id: 3, digest, by: 'ada', why: 'CHG-7', items: 2, made: 1 },
    ...{ at: '2026-11-20T09:30:00Z', expires: '2026-11-20T10:30:00Z' },
  });
});

test.run();
