import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { RequestTrigger } from '../../../src/controller/triggers/request-trigger.ts';
import { gatewaySettings } from '../../support/states.ts';

const test = suite('request trigger');

/** Follows a store whose newest request changes from read to read (`fails`: it cannot be read) and returns how often it triggered. */
async function callsFor(reads: readonly (string | null)[], onRead: (watch: RequestTrigger, read: number) => void = () => {}) {
  const ending = new AbortController();
  let read = 0;
  let calls = 0;
  const watch: RequestTrigger = new RequestTrigger({
    store: {
      reconcileRequest: async () => {
        const newest = reads[read++] ?? null;
        onRead(watch, read);
        if (newest === 'fails') throw new Error('busy');
        return newest;
      },
    },
    clock: { sleep: async () => void (read >= reads.length && ending.abort()) },
    signal: ending.signal,
    trigger: (cause) => {
      if (cause === 'requested') calls += 1;
    },
  });
  watch.setGateway(gatewaySettings());
  await new Promise<void>((resolve) => ending.signal.addEventListener('abort', () => setTimeout(resolve, 5)));
  return calls;
}

test('triggers on each new request', async () => {
  assert.is(await callsFor([null, null, 'one', 'one', 'two', 'two']), 2);
});

test('a suspension is read at once, before the file that the request may be about', async () => {
  const ending = new AbortController();
  const causes: string[] = [];
  const reads = [null, 'one'];
  const watch = new RequestTrigger({
    store: { reconcileRequest: async () => reads.shift() ?? null },
    clock: { sleep: async () => void (reads.length === 0 && ending.abort()) },
    signal: ending.signal,
    trigger: (cause) => causes.push(cause),
  });
  watch.setGateway(gatewaySettings());
  await new Promise<void>((resolve) => ending.signal.addEventListener('abort', () => setTimeout(resolve, 5)));
  assert.equal(causes, ['suspension', 'requested']);
});

test('a request that existed at startup is not new, since the startup reconciles anyway', async () => {
  assert.is(await callsFor(['one', 'one']), 0);
});

test('keeps running when the store cannot be read for a while, and misses no request', async () => {
  assert.is(await callsFor(['one', 'fails', 'two', 'two']), 1);
});

test('continues for the same gateway, and starts anew for another one', async () => {
  const again = (watch: RequestTrigger) => watch.setGateway(gatewaySettings());
  assert.is(await callsFor(['one', 'two', 'two'], again), 1);
  const other = (watch: RequestTrigger, read: number) => read === 2 && watch.setGateway({ ...gatewaySettings(), instance: 'other' });
  assert.is(await callsFor(['one', 'two', 'three', 'three', 'four'], other), 1);
});

test.run();
