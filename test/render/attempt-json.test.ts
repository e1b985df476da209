import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { publicationKey } from '../../src/model/publication.ts';
import { approvalJson, historyAttemptJson } from '../../src/render/attempt-json.ts';
import { attempt } from '../support/states.ts';

const startedAtMs = Date.UTC(2026, 10, 20, 9, 30);

test('times are in UTC, and an attempt without an outcome has none', () => {
  const begun = attempt('orders', 'test', { id: 7, startedAtMs, approval: { by: 'ada', reason: 'CHG-7' } });
  assert.equal(historyAttemptJson(begun), {
    ...{ id: 7, reconcileId: 'reconcile-1', api: 'orders', apiId: 'api-orders', environment: 'test', environmentId: 'env-test' },
    ...{ action: 'online', reason: 'new', revision: null, remark: null, marker: null, requestedVersionId: null, commitId: null },
    ...{ outcome: null, code: null, status: null, message: null, requestId: null, versionId: null, publishId: null },
    priorState: { state: null, revision: null, versionId: null },
    ...{ approval: { by: 'ada', reason: 'CHG-7' }, startedAt: '2026-11-20T09:30:00.000Z', finishedAt: null },
  });
  assert.is(historyAttemptJson({ ...begun, finishedAtMs: startedAtMs + 40 }).finishedAt, '2026-11-20T09:30:00.040Z');
});

test('an approval has the number of changes that it covers, and of those made', () => {
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
    ...{ id: 3, digest, by: 'ada', reason: 'CHG-7', entries: 2, used: 1 },
    ...{ approvedAt: '2026-11-20T09:30:00Z', expiresAt: '2026-11-20T10:30:00Z' },
  });
});

test.run();
