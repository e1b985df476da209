import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { conditionJson } from '../../src/words/condition-json.ts';

const atMs = Date.UTC(2026, 10, 20, 9, 30);
const idle = { atMs, pid: 7, calls: 10, perMs: 1000, stopped: null };
const stopped = { why: 'outage', message: 'nobody answers', sinceMs: atMs } as const;

test('programs read how a process is getting on', () => {
  const asOf = '2026-11-20T09:30:00.000Z';
  const rate = { calls: 10, perMs: 1000 };
  assert.equal(conditionJson(idle), { pid: 7, asOf, rate, stopped: null });
  assert.equal(conditionJson({ ...idle, stopped }).stopped, { why: 'outage', message: 'nobody answers', since: asOf });
});

test.run();
