import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CallOrder } from '../../../src/controller/limit/call-order.ts';

const { signal } = new AbortController();

test('a wait begins when the one before has ended, whether or not it failed', async () => {
  const order = new CallOrder();
  const log: string[] = [];
  const first = order.run(signal, async () => {
    await sleep(5);
    log.push('first');
    throw new Error('no');
  });
  const second = order.run(signal, async () => log.push('second'));
  await Promise.allSettled([first, second]);
  assert.equal(log, ['first', 'second']);
});

test('nothing that a wait resolved to is kept, however many follow it', async () => {
  setFlagsFromString('--expose-gc');
  const collectGarbage = runInNewContext('gc') as () => void;
  const order = new CallOrder();
  const results: WeakRef<{ readonly count: number }>[] = [];
  for (let count = 0; count < 10; count += 1) results.push(new WeakRef(await order.run(signal, async () => ({ count }))));
  await sleep(0);
  collectGarbage();
  assert.equal(
    results.map((result) => result.deref()?.count).filter((count) => count !== undefined),
    [],
  );
});

test.run();
