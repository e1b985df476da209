import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { noColor } from '../../../src/cli/output/colors.ts';
import { formatControllerStatus, formatStaleControllerStatus } from '../../../src/cli/output/status-text.ts';

const updatedAtMs = Date.UTC(2026, 10, 20, 9, 30);
const limit = { calls: 10, perMs: 1000, concurrency: 4 };
const idle = { updatedAtMs, pid: 7, calls: 10, perMs: 1000, paused: null };
const paused = { reason: 'outage', message: 'nobody answers', sinceMs: updatedAtMs } as const;

for (const [name, condition, expected] of [
  ['at work', idle, 'At work with 10 calls per 1 s (pid 7, as of 2026-11-20T09:30:00.000Z)'],
  [
    'slowed down',
    { ...idle, calls: 4 },
    'Slowed down to 4 calls per 1 s, since the gateway asks for it (pid 7, as of 2026-11-20T09:30:00.000Z)',
  ],
  ['stopped', { ...idle, paused }, 'No calls since 2026-11-20T09:30:00.000Z: nobody answers (pid 7, as of 2026-11-20T09:30:00.000Z)'],
] as const) {
  test(`says how a process is getting on: ${name}`, () => assert.is(formatControllerStatus(condition, 'pid 7', limit, noColor), expected));
}

test('says of a process that is not there that it was killed, or is elsewhere', () => {
  const expected = 'No edict is at work here: the last one, pid 7, as of 2026-11-20T09:30:00.000Z, is not a process of this machine.';
  assert.is(formatStaleControllerStatus(idle, noColor), expected);
});

test.run();
