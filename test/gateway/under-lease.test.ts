import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Lease, RequestEnd } from '../../src/core/ports.ts';
import { underLease } from '../../src/gateway/under-lease.ts';

const { signal } = new AbortController();

function opened() {
  const state = { isHeld: true };
  const lease: Lease = { fence: 1, ending: signal, isHeld: () => state.isHeld };
  const ends: RequestEnd['kind'][] = [];
  let turn = (): void => {};
  const admit = underLease(lease, async () => {
    await new Promise<void>((resolve) => {
      turn = resolve;
    });
    return ({ kind }) => ends.push(kind);
  });
  return { state, ends, admit, turn: () => turn() };
}

test('a request whose turn comes under the lease leaves, and says how it ended', async () => {
  const { ends, admit, turn } = opened();
  const admitted = admit(signal);
  turn();
  (await admitted)({ kind: 'answered', pauseMs: null, allowed: null });
  assert.equal(ends, ['answered']);
});

test('a request whose turn comes when the lease is gone does not leave, and gives its turn back', async () => {
  const { state, ends, admit, turn } = opened();
  const admitted = admit(signal);
  state.isHeld = false;
  turn();
  const error = await admitted.then(
    () => null,
    (thrown: { code?: string }) => thrown,
  );
  assert.equal([error?.code, ends], ['NOT_SENT', ['unsent']]);
});

test.run();
