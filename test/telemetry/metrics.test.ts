import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { diffStates } from '../../src/plan/diff.ts';
import { openMetrics } from '../../src/telemetry/metrics.ts';
import { change, desiredState, gatewaySettings, reconcileSummary, recorded, recordedState, wanted } from '../support/states.ts';

const test = suite('metrics');

/** The metrics of one file, without its label. */
function opened() {
  const metrics = openMetrics('1.2.3');
  const text = async (): Promise<string> => (await metrics.text()).replaceAll(/\{file="f"\}|(?<=\{.*),file="f"(?=\})/g, '');
  return { emit: metrics.forFile('f'), text };
}
const desired = desiredState([wanted('orders', 'test'), wanted('carts', 'test')]);
const plan = diffStates(desired, new Map());
const held = { rule: 'protected', message: '', hint: '' } as const;
const fileHeld = { rule: 'maxRemoved', message: '', hint: '', affected: [] } as const;

test('the newest plan sets the number of publications by status, and whether the file is held', async () => {
  const { emit, text } = opened();
  const deferred = { rule: 'freeze', message: '', untilMs: null } as const;
  const changes = [change('a', 'test'), change('b', 'test', { held }), change('c', 'test', { held }), change('d', 'test', { deferred })];
  emit({ type: 'plan:computed', reconcileId: '', cause: 'file', recorded: new Map(), plan: { ...plan, changes, unchanged: 7 } });
  for (const line of ['unchanged"} 7', 'pending"} 1', 'held"} 2', 'deferred"} 1'])
    assert.match(await text(), `edict_publications{status="${line}\n`);
  assert.match(await text(), 'edict_file_held 0\n');
  emit({ type: 'plan:computed', reconcileId: '', cause: 'file', recorded: new Map(), plan: { ...plan, fileHeld } });
  assert.match(await text(), 'edict_file_held 1\n');
});

test('each publication is counted in exactly one status', async () => {
  const { emit, text } = opened();
  const edited = { publishedAtMs: 1, editedAtMs: 100_000 };
  const record = recordedState([recorded('orders', 'test', edited), recorded('carts', 'test')]);
  emit({ type: 'plan:computed', reconcileId: '', cause: 'file', recorded: record, plan: diffStates(desired, record) });
  const shown = await text();
  assert.match(shown, 'edict_publications{status="outdated"} 1\n');
  const counts = [...shown.matchAll(/^edict_publications\{status="(?!unmanaged)\w+"\} (\d+)$/gm)].map(([, count]) => Number(count));
  assert.is(
    counts.reduce((sum, count) => sum + count, 0),
    desired.publications.size,
  );
});

test('the metrics of the alerts exist before their first event', async () => {
  const shown = await opened().text();
  assert.match(shown, 'edict_probes_total{expected="false"} 0\n');
  assert.match(shown, 'edict_observations_total{outcome="failed"} 0\n');
  assert.match(shown, 'edict_calls_total{action="offline",outcome="succeeded"} 0\n');
});

test('observations are counted by result, and changes that need a person after a reconciliation', async () => {
  const { emit, text } = opened();
  for (const reason of ['r', 'r']) emit({ type: 'gateway:observe_failed', reconcileId: '', reason });
  emit({ type: 'gateway:observed', reconcileId: '', listedApiCount: 1, changedCount: 0, adoptedCount: 0 });
  assert.match(await text(), 'edict_observations_total{outcome="failed"} 2\n');
  assert.match(await text(), 'edict_observations_total{outcome="succeeded"} 1\n');
  const summary = reconcileSummary({ unchanged: 2, held: 3, durationMs: 5 });
  emit({ type: 'reconcile:finished', reconcileId: '', summary });
  assert.match(await text(), 'edict_held 3\n');
});

test('calls are counted by operation and result', async () => {
  const { emit, text } = opened();
  const attemptFinished = {
    type: 'attempt:finished',
    reconcileId: '',
    attemptId: 1,
    change: change('a', 'test'),
    isRecorded: true,
    durationMs: 30,
  } as const;
  emit({ ...attemptFinished, outcome: { kind: 'succeeded', versionId: null, publishId: null } });
  emit({ ...attemptFinished, outcome: { kind: 'superseded' } });
  const shown = await text();
  assert.match(shown, 'edict_calls_total{action="online",outcome="succeeded"} 1\n');
  assert.match(shown, 'edict_calls_total{action="online",outcome="superseded"} 1\n');
  assert.match(shown, 'edict_call_duration_seconds_bucket{le="0.05"} 2\n');
});

test('reports why requests are paused, the rate, the state of the file and when it was last in sync', async () => {
  const { emit, text } = opened();
  emit({ type: 'requests:paused', reason: 'outage', message: '' });
  assert.match(await text(), 'edict_requests_paused{reason="outage"} 1\n');
  emit({ type: 'requests:resumed' });
  assert.match(await text(), 'edict_requests_paused{reason="outage"} 0\n');
  emit({ type: 'rate:changed', calls: 5, perMs: 500, limit: 10 });
  assert.match(await text(), 'edict_rate_calls_per_second 10\n');
  emit({ type: 'file:loaded', desired });
  emit({ type: 'file:unreadable', message: '' });
  assert.match(await text(), 'edict_file_valid 0\n');
  const summary = reconcileSummary({ unchanged: 2, failed: 1, durationMs: 5 });
  emit({ type: 'reconcile:finished', reconcileId: '', summary });
  assert.match(await text(), 'edict_last_in_sync_timestamp_seconds 0\n');
  assert.match(await text(), 'edict_failing 1\n');
  emit({ type: 'reconcile:finished', reconcileId: '', summary: { ...summary, failed: 0 } });
  assert.not.match(await text(), 'edict_last_in_sync_timestamp_seconds 0\n');
});

test('reconciliations, retries, probes and store failures are counted', async () => {
  const { emit, text } = opened();
  emit({ type: 'reconcile:started', reconcileId: '', cause: 'file' });
  emit({ type: 'retry:scheduled', reconcileId: '', change: change('a', 'test'), afterMs: 1, reason: '' });
  emit({ type: 'store:error', reconcileId: '', message: '' });
  const shown = await text();
  for (const line of ['edict_reconcile_total{cause="file"} 1', 'edict_retries_total 1', 'edict_store_errors_total 1'])
    assert.match(shown, `${line}\n`);
});

test('the rate is the limit until the controller reports another, and again after a new limit', async () => {
  const { emit, text } = opened();
  const rates = async () =>
    [...(await text()).matchAll(/^edict_(?:rate|limit)_calls_per_second (\S+)$/gm)].map(([, value]) => Number(value));
  emit({ type: 'file:loaded', desired });
  assert.equal(await rates(), [10, 10]);
  emit({ type: 'rate:changed', calls: 4, perMs: 1000, limit: 10 });
  emit({ type: 'file:loaded', desired: desiredState([]) });
  assert.equal(await rates(), [4, 10]);
  const gateway = gatewaySettings({ limit: { calls: 30, perMs: 2000, concurrency: 1 } });
  emit({ type: 'file:loaded', desired: desiredState([], { gateway }) });
  assert.equal(await rates(), [15, 15]);
});

test('the token has its expiry, the version its name, a suspension its gauge, and the process its own metrics', async () => {
  const { emit, text } = opened();
  assert.match(await text(), 'edict_token_issued_timestamp_seconds 0\n');
  emit({ type: 'token:issued' });
  const suspension = { reason: 'INC-1', by: null, sinceMs: null, untilMs: null };
  emit({ type: 'plan:computed', reconcileId: '', cause: 'file', recorded: new Map(), plan: { ...plan, suspension } });
  const shown = await text();
  assert.match(shown, /edict_token_issued_timestamp_seconds 1\d{9}/);
  for (const line of ['edict_info{version="1.2.3"} 1', 'edict_suspended 1']) assert.match(shown, `${line}\n`);
  assert.match(shown, /^process_resident_memory_bytes \d+/m);
});

test('the queue length is counted, and queue time and time to sync are measured', async () => {
  const { emit, text } = opened();
  emit({ type: 'file:loaded', desired });
  emit({ type: 'plan:computed', reconcileId: '', cause: 'file', recorded: new Map(), plan });
  assert.match(await text(), 'edict_queue_changes 2\n');
  for (const one of plan.changes) {
    emit({ type: 'attempt:started', reconcileId: '', attemptId: 1, change: one });
    emit({
      type: 'attempt:finished',
      reconcileId: '',
      attemptId: 1,
      change: one,
      isRecorded: true,
      durationMs: 1,
      outcome: { kind: 'succeeded', versionId: null, publishId: null },
    });
  }
  emit({
    type: 'reconcile:finished',
    reconcileId: '',
    summary: reconcileSummary({ online: 2, durationMs: 5 }),
  });
  const shown = await text();
  for (const line of ['edict_queue_changes 0', 'edict_queue_wait_seconds_count 2', 'edict_file_in_sync_seconds_count 1'])
    assert.match(shown, `${line}\n`);
});

test.run();
