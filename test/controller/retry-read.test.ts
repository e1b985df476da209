import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { retryRead } from '../../src/controller/retry.ts';
import type { ReadResult } from '../../src/model/outcome.ts';

const failure = { code: 'C', status: null, message: 'm', hint: null, requestId: null, retryAfterMs: null };
const { signal } = new AbortController();

/** Reads `answers` in turn, without waiting. */
async function reading(answers: readonly ReadResult<number>[], over: { readonly signal?: AbortSignal } = {}) {
  const waits: number[] = [];
  let reads = 0;
  const once = async (): Promise<ReadResult<number>> => answers[reads++] ?? { kind: 'retryable', failure };
  const clock = { sleep: async (ms: number) => void waits.push(ms) };
  const came = await retryRead(once, { clock, random: () => 1, signal, ...over });
  return { came, reads, waits };
}

test('a successful read returns at once', async () => {
  assert.equal(await reading([{ kind: 'read', value: 7 }]), { came: { kind: 'read', value: 7 }, reads: 1, waits: [] });
});

test('a temporary failure is retried with growing delay', async () => {
  const { came, waits } = await reading([
    { kind: 'retryable', failure },
    { kind: 'throttled', failure },
    { kind: 'read', value: 7 },
  ]);
  assert.equal(came, { kind: 'read', value: 7 });
  assert.equal(waits, [1000, 2000]);
});

test('gives up after four failures', async () => {
  const { came, reads, waits } = await reading([]);
  assert.equal([came.kind, reads, waits.length], ['retryable', 4, 3]);
});

for (const kind of ['rejected', 'unauthorized'] as const) {
  test(`a failure of kind ${kind} is not retried`, async () => {
    assert.equal(await reading([{ kind, failure }]), { came: { kind, failure }, reads: 1, waits: [] });
  });
}

test('an abort ends the wait', async () => {
  assert.is((await reading([], { signal: AbortSignal.abort() })).reads, 1);
});

test.run();
