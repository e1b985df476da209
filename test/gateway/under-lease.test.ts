import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { RequestResult } from '../../src/gateway/interface.ts';
import { withLease } from '../../src/gateway/request-middleware.ts';
import type { Lease } from '../../src/store/interface.ts';

const { signal } = new AbortController();

function opened() {
  const state = { isHeld: true };
  const lease: Lease = { fence: 1, signal, isHeld: () => state.isHeld };
  const ends: RequestResult['kind'][] = [];
  let turn = (): void => {};
  const admit = withLease(lease, async () => {
    await new Promise<void>((resolve) => {
      turn = resolve;
    });
    return ({ kind }) => ends.push(kind);
  });
  return { state, ends, admit, turn: () => turn() };
}

test('a request that is admitted under the lease is sent and reports how it ended', async () => {
  const { ends, admit, turn } = opened();
  const admitted = admit(signal);
  turn();
  (await admitted)({ kind: 'answered', retryAfterMs: null, rateLimit: null });
  assert.equal(ends, ['answered']);
});

test('a request that is admitted after the lease is lost is not sent, and returns its slot', async () => {
  const { state, ends, admit, turn } = opened();
  const admitted = admit(signal);
  state.isHeld = false;
  turn();
  const error = await admitted.then(
    () => null,
    (thrown: { code?: string }) => thrown,
  );
  assert.equal([error?.code, ends], ['REQUEST_NOT_SENT', ['unsent']]);
});

test.run();
