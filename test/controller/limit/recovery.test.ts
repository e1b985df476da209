import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { pollDuringOutage, resumeOnNewCredentials } from '../../../src/controller/limit/recovery.ts';

const test = suite('recovery');
const unending = new AbortController().signal;

function around({ endsAt = 3, maxTries = Number.POSITIVE_INFINITY } = {}) {
  const pauses = new Set(['pause', 'outage']);
  const resumed: string[] = [];
  let reads = 0;
  let checks = 0;
  const gateway = {
    listEnvironments: async () => {
      reads += 1;
      if (reads === endsAt) pauses.delete('outage');
      return { kind: 'read', value: [] } as const;
    },
    credentialsRetryInMs: () => (++checks >= 3 ? 0 : Number.POSITIVE_INFINITY),
  };
  const slept: number[] = [];
  const clock = { sleep: async (ms: number) => void slept.push(ms) };
  const rateLimiter = { isPausedFor: (reason: string) => pauses.has(reason), resume: (reason: string) => void resumed.push(reason) };
  return { deps: { gateway, clock, rateLimiter, maxTries }, reads: () => reads, slept, resumed };
}

test('reads once a second until the outage is over, even while the gateway has asked for a pause', async () => {
  const { deps, reads, slept } = around();
  assert.ok(await pollDuringOutage({ ...deps, signal: unending }));
  assert.is(reads(), 3);
  assert.equal(slept, [1000, 1000, 1000]);
});

test('gives up during a long outage if its tries are limited, and reads nothing once it is aborted', async () => {
  const lasting = around({ endsAt: 99, maxTries: 4 });
  assert.not.ok(await pollDuringOutage({ ...lasting.deps, signal: unending }));
  assert.is(lasting.reads(), 4);
  const stopped = around();
  assert.not.ok(await pollDuringOutage({ ...stopped.deps, signal: AbortSignal.abort() }));
  assert.is(stopped.reads(), 0);
});

test('resumes calls when the credentials have changed, and not when it is aborted', async () => {
  const { deps, resumed, slept } = around();
  await resumeOnNewCredentials({ ...deps, signal: AbortSignal.abort() });
  assert.equal(resumed, []);
  await resumeOnNewCredentials({ ...deps, signal: unending });
  assert.equal(resumed, ['credentials']);
  assert.is(slept.length, 2);
});

test.run();
