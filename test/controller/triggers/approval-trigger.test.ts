import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ApprovalTrigger } from '../../../src/controller/triggers/approval-trigger.ts';
import type { Approval } from '../../../src/model/approval.ts';
import { gatewaySettings } from '../../support/states.ts';

const test = suite('approval trigger');

/** A store whose newest approval changes from read to read; -1: it cannot be read. */
function watching(newest: readonly number[]) {
  const ending = new AbortController();
  let reads = 0;
  let calls = 0;
  const watch = new ApprovalTrigger({
    store: {
      approvals: async () => {
        const id = newest[reads++] ?? 0;
        if (reads >= newest.length) ending.abort();
        if (id < 0) throw new Error('busy');
        return id === 0 ? [] : [{ id } as Approval];
      },
    },
    clock: { sleep: async () => {} },
    gateway: gatewaySettings(),
    signal: ending.signal,
    onApproval: () => (calls += 1),
  });
  const ended = new Promise<void>((resolve) => ending.signal.addEventListener('abort', () => setTimeout(resolve, 5)));
  return { watch, ended, calls: () => calls, reads: () => reads };
}

test('triggers on each new approval while something is held', async () => {
  const { watch, ended, calls } = watching([0, 0, 1, 1, 2, 2]);
  watch.update(true, []);
  await ended;
  assert.is(calls(), 2);
});

test('an approval that existed before is not new', async () => {
  const { watch, ended, calls } = watching([3, 3, 3]);
  watch.update(true, [{ id: 3 } as Approval]);
  await ended;
  assert.is(calls(), 0);
});

test('reads nothing while nothing is held', async () => {
  const { watch, reads } = watching([0, 1]);
  watch.update(false, []);
  await new Promise((resolve) => setTimeout(resolve, 5));
  assert.is(reads(), 0);
});

test('keeps running when the store cannot be read for a while', async () => {
  const { watch, ended, calls } = watching([1, -1, 1, 2, 2]);
  watch.update(true, [{ id: 1 } as Approval]);
  await ended;
  assert.is(calls(), 1);
});

test('an approval written between the plan and the first read is not missed', async () => {
  const { watch, ended, calls } = watching([1, 1]);
  watch.update(true, []);
  await ended;
  assert.is(calls(), 1);
});

test.run();
