import { setImmediate as nextTurn } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CircuitBreaker } from '../../../src/controller/limit/circuit-breaker.ts';
import type { RequestResult } from '../../../src/gateway/interface.ts';

async function after(kinds: readonly RequestResult['kind'][]): Promise<string[]> {
  const said: string[] = [];
  const circuit = new CircuitBreaker({ onOpen: () => said.push('open'), onClosed: () => said.push('closed') });
  for (const kind of kinds) {
    circuit.report({ kind, retryAfterMs: null, rateLimit: null });
    await nextTurn();
  }
  return said;
}

const lost = (count: number): 'lost'[] => Array.from({ length: count }, () => 'lost' as const);

test('opens at the fifth request in a row without a response, once', async () => {
  assert.equal(await after(lost(4)), []);
  assert.equal(await after(lost(5)), ['open']);
  assert.equal(await after(lost(20)), ['open']);
});

test('any response in between resets the count', async () => {
  assert.equal(await after([...lost(4), 'answered', ...lost(4), 'throttled', ...lost(4)]), []);
});

test('closes with the first response, and can open again', async () => {
  assert.equal(await after([...lost(7), 'answered', 'answered']), ['open', 'closed']);
  assert.equal(await after([...lost(7), 'throttled', ...lost(5)]), ['open', 'closed', 'open']);
});

test.run();
