import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { controllerStatusJson } from '../../src/render/status-json.ts';

const updatedAtMs = Date.UTC(2026, 10, 20, 9, 30);
const idle = { updatedAtMs, pid: 7, calls: 10, perMs: 1000, paused: null };
const paused = { reason: 'outage', message: 'nobody answers', sinceMs: updatedAtMs } as const;

test('programs can read the state of a process', () => {
  const updatedAt = '2026-11-20T09:30:00.000Z';
  const rate = { calls: 10, perMs: 1000 };
  assert.equal(controllerStatusJson(idle), { pid: 7, updatedAt, rate, paused: null });
  assert.equal(controllerStatusJson({ ...idle, paused }).paused, { reason: 'outage', message: 'nobody answers', since: updatedAt });
});

test.run();
