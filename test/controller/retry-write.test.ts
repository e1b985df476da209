import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type RetryWriteDeps, retryWrite } from '../../src/controller/retry.ts';

const test = suite('retryWrite');

function deps(over: Partial<RetryWriteDeps> = {}): RetryWriteDeps & { readonly failures: unknown[]; readonly slept: number[] } {
  const failures: unknown[] = [];
  const slept: number[] = [];
  const clock = {
    sleep: async (ms: number) => {
      slept.push(ms);
    },
  };
  const signal = new AbortController().signal;
  return { clock, random: () => 0.5, maxTries: 5, signal, onError: (error) => failures.push(error), failures, slept, ...over };
}

test('writes until it succeeds, with growing delay', async () => {
  const { failures, slept, ...rest } = deps();
  let left = 3;
  assert.is(await retryWrite(async () => fail(--left > 0), rest), true);
  assert.is(failures.length, 2);
  assert.is(slept.length, 2);
  assert.ok((slept[1] ?? 0) > (slept[0] ?? 0));
});

test('gives up after the maximum number of tries', async () => {
  const { failures, ...rest } = deps({ maxTries: 2 });
  assert.is(await retryWrite(async () => fail(true), rest), false);
  assert.is(failures.length, 2);
});

test('gives up when the controller is stopped', async () => {
  const { failures, ...rest } = deps({ maxTries: Number.POSITIVE_INFINITY, signal: AbortSignal.abort() });
  assert.is(await retryWrite(async () => fail(true), rest), false);
  assert.is(failures.length, 1);
});

test('rethrows an error that is not retryable', async () => {
  const onError = (error: unknown): void => {
    throw error;
  };
  try {
    await retryWrite(async () => fail(true), deps({ onError }));
    assert.unreachable();
  } catch (error) {
    assert.match(String(error), 'the disk is full');
  }
});

function fail(does: boolean): void {
  if (does) throw new Error('the disk is full');
}

test.run();
