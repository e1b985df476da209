import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { acquireLease } from '../../src/controller/lease-acquisition.ts';
import { type EdictError, LeaseHeldError, StoreError } from '../../src/model/errors.ts';
import type { AcquiredLease } from '../../src/store/interface.ts';
import { gatewaySettings } from '../support/states.ts';

const entered: AcquiredLease = { idleMs: 0, lease: { fence: 1, signal: new AbortController().signal, isHeld: () => true } };

/** A lease that is free from `freeAtMs` on, and a clock that advances with each wait. */
function opened(freeAtMs: number, error: Error = new LeaseHeldError('another edict process holds the lease of the gateway')) {
  const time = { ms: 0 };
  const messages: string[] = [];
  const stopping = new AbortController();
  const enter = (waitMs: number) =>
    acquireLease(gatewaySettings(), {
      store: {
        acquire: async () => {
          if (time.ms < freeAtMs) throw error;
          return entered;
        },
      },
      clock: {
        now: () => time.ms,
        monotonicMs: () => time.ms,
        sleep: async (ms) => {
          time.ms += ms;
        },
      },
      waitMs,
      sharesEvenly: false,
      signal: stopping.signal,
      onWait: (message) => messages.push(message),
    });
  return { time, messages, stopping, enter };
}

test('a free lease is acquired without a standby event', async () => {
  const { messages, enter } = opened(0);
  assert.equal([await enter(0), messages], [entered, []]);
});

test('a lease held by another instance is waited for, and its holder is reported once', async () => {
  const { time, messages, enter } = opened(1500);
  assert.is(await enter(60_000), entered);
  assert.equal([time.ms, messages], [1600, ['another edict process holds the lease of the gateway']]);
});

test('reports the reason when the time is over, and after any other failure', async () => {
  const code = (error: unknown): unknown => (error as EdictError).code;
  assert.is(await opened(5000).enter(1000).catch(code), 'LEASE_HELD');
  assert.is(await opened(5000).enter(0).catch(code), 'LEASE_HELD');
  assert.is(await opened(5000, new StoreError('STORE_FULL', 'full')).enter(60_000).catch(code), 'STORE_FULL');
});

test('an abort ends the wait', async () => {
  const { stopping, messages, enter } = opened(5000);
  stopping.abort();
  assert.is(await enter(60_000).catch((error: unknown) => (error as EdictError).code), 'LEASE_HELD');
  assert.equal(messages, []);
});

test.run();
