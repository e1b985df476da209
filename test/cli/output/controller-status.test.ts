import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { formatControllerStatus, formatStaleControllerStatus } from '../../../src/cli/output/status-text.ts';
import { noColor } from '../../../src/cli/output/terminal.ts';

const updatedAtMs = Date.UTC(2026, 10, 20, 9, 30);
const limit = { calls: 10, perMs: 1000, concurrency: 4 };
const idle = { updatedAtMs, pid: 7, calls: 10, perMs: 1000, paused: null };
const paused = { reason: 'outage', message: 'nobody answers', sinceMs: updatedAtMs } as const;

for (const [name, condition, expected] of [
  ['at work', idle, 'Running at 10 calls/s (pid 7, as of 2026-11-20T09:30:00.000Z)'],
  ['slowed down', { ...idle, calls: 4 }, 'Slowed down to 4 calls/s, as the gateway asked (pid 7, as of 2026-11-20T09:30:00.000Z)'],
  ['stopped', { ...idle, paused }, 'No calls since 2026-11-20T09:30:00.000Z: nobody answers (pid 7, as of 2026-11-20T09:30:00.000Z)'],
] as const) {
  test(`describes the controller status: ${name}`, () =>
    assert.is(formatControllerStatus(condition, { holder: 'pid 7', limit }, noColor), expected));
}

test('describes the last status of a process that does not run on this host', () => {
  const expected = 'No edict process runs on this host: the last one, pid 7, wrote its status at 2026-11-20T09:30:00.000Z.';
  assert.is(formatStaleControllerStatus(idle, noColor), expected);
});

test.run();
