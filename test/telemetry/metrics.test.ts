import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { plan } from '../../src/core/plan.ts';
import { openMetrics } from '../../src/telemetry/metrics.ts';
import { change, desiredState, wanted } from '../support/states.ts';

const test = suite('metrics');
const desired = desiredState([wanted('orders', 'test'), wanted('carts', 'test')]);
const made = plan(desired, new Map());
const held = { rule: 'protected', message: '', hint: '' } as const;
const suspicion = { rule: 'lost', message: '', hint: '', lost: [] } as const;

test('the newest plan says how many publications are in each state, and whether the file is held', async () => {
  const { emit, text } = openMetrics();
  const waits = { rule: 'freeze', message: '', untilMs: null } as const;
  const changes = [change('a', 'test'), change('b', 'test', { held }), change('c', 'test', { held }), change('d', 'test', { waits })];
  emit({ type: 'plan:made', passId: '', cause: 'file', recorded: new Map(), plan: { ...made, changes, unchanged: 7 } });
  for (const line of ['unchanged"} 7', 'changing"} 1', 'held"} 2', 'waiting"} 1'])
    assert.match(await text(), `edict_publications{state="${line}\n`);
  assert.match(await text(), 'edict_file_held 0\n');
  emit({ type: 'plan:made', passId: '', cause: 'file', recorded: new Map(), plan: { ...made, suspicion } });
  assert.match(await text(), 'edict_file_held 1\n');
});

test('calls are counted by what they do and what came of them', async () => {
  const { emit, text } = openMetrics();
  const settled = { type: 'attempt:settled', passId: '', attemptId: 1, change: change('a', 'test'), tookMs: 30 } as const;
  emit({ ...settled, outcome: { kind: 'succeeded', versionId: null, publishId: null } });
  emit({ ...settled, outcome: { kind: 'dropped' } });
  const shown = await text();
  assert.match(shown, 'edict_calls_total{action="online",outcome="succeeded"} 1\n');
  assert.match(shown, 'edict_calls_total{action="online",outcome="dropped"} 1\n');
  assert.match(shown, 'edict_call_duration_seconds_bucket{le="0.05"} 2\n');
});

test('what stops the calls, the rate, the file, and when all was well', async () => {
  const { emit, text } = openMetrics();
  emit({ type: 'calls:stopped', why: 'outage', message: '' });
  assert.match(await text(), 'edict_calls_stopped{why="outage"} 1\n');
  emit({ type: 'calls:resumed' });
  assert.match(await text(), 'edict_calls_stopped{why="outage"} 0\n');
  emit({ type: 'rate:changed', calls: 5, perMs: 500, limit: 10 });
  assert.match(await text(), 'edict_rate_calls_per_second 10\n');
  emit({ type: 'file:accepted', desired });
  emit({ type: 'file:missed', message: '' });
  assert.match(await text(), 'edict_file_valid 0\n');
  const summary = { online: 0, offline: 0, unchanged: 2, held: 0, waiting: 0, failed: 1, tookMs: 5 };
  emit({ type: 'pass:finished', passId: '', summary });
  assert.match(await text(), 'edict_converged_timestamp_seconds 0\n');
  assert.match(await text(), 'edict_failing 1\n');
  emit({ type: 'pass:finished', passId: '', summary: { ...summary, failed: 0 } });
  assert.not.match(await text(), 'edict_converged_timestamp_seconds 0\n');
});

test('passes, retries, probes and failures of the store are counted', async () => {
  const { emit, text } = openMetrics();
  emit({ type: 'pass:started', passId: '', cause: 'file' });
  emit({ type: 'retry:scheduled', passId: '', change: change('a', 'test'), afterMs: 1, reason: '' });
  emit({ type: 'store:failed', passId: '', message: '' });
  const shown = await text();
  for (const line of ['edict_passes_total{cause="file"} 1', 'edict_retries_total 1', 'edict_store_errors_total 1'])
    assert.match(shown, `${line}\n`);
});

test.run();
