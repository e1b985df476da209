import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { pollDuringOutage, resumeOnNewCredentials } from '../../../src/controller/limit/recovery.ts';
import type { RequestPause } from '../../../src/model/ports.ts';
import { wanted } from '../../support/states.ts';

const test = suite('recovery');
const outage: RequestPause = { reason: 'outage', message: '', sinceMs: 0 };
const unending = new AbortController().signal;

function around() {
  const traffic = { stopped: outage as RequestPause | null, gone: [] as string[], resume: (reason: string) => traffic.gone.push(reason) };
  let asked = 0;
  let looks = 0;
  const gateway = {
    listVersions: async () => {
      asked += 1;
      if (asked === 3) traffic.stopped = null;
      return { kind: 'read', value: [] } as const;
    },
    hasNewCredentials: () => ++looks >= 3,
  };
  const slept: number[] = [];
  const clock = { sleep: async (ms: number) => void slept.push(ms) };
  return {
    deps: { gateway, clock, rateLimiter: traffic } as unknown as Parameters<typeof pollDuringOutage>[1],
    asked: () => asked,
    slept,
    traffic,
  };
}

test('asks once a second until the outage is over', async () => {
  const { deps, asked, slept } = around();
  await pollDuringOutage(wanted('orders', 'test'), deps, unending);
  assert.is(asked(), 3);
  assert.equal(slept, [1000, 1000, 1000]);
});

test('asks nothing where the file declares nothing, or when it is stopped', async () => {
  const { deps, asked } = around();
  await pollDuringOutage(undefined, deps, unending);
  await pollDuringOutage(wanted('orders', 'test'), deps, AbortSignal.abort());
  assert.is(asked(), 0);
});

test('lets calls go on when the credentials have changed, and not when it is stopped', async () => {
  const { deps, traffic, slept } = around();
  await resumeOnNewCredentials(deps, AbortSignal.abort());
  assert.equal(traffic.gone, []);
  await resumeOnNewCredentials(deps, unending);
  assert.equal(traffic.gone, ['credentials']);
  assert.is(slept.length, 2);
});

test.run();
