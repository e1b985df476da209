import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { EdictError } from '../../src/core/errors.ts';
import type { Gateway, Store } from '../../src/core/ports.ts';
import { openRecord } from '../../src/store/open-store.ts';
import { until } from '../support/edict-process.ts';
import { workshop } from '../support/engine.ts';

const names = (count: number): string[] => Array.from({ length: count }, (_, index) => `a${String(index).padStart(2, '0')}`);
const all = <T>(apis: readonly string[], state: T): Record<string, T> => Object.fromEntries(apis.map((api) => [api, state]));

test('makes the calls of the plan in its order, records them, and makes none the second time', async () => {
  const apis = names(8);
  await using shop = await workshop({ apis, limit: { calls: 1000, perMs: 1000, concurrency: 1 } });
  const desired = shop.desire(all(apis.toReversed(), 'online'));
  await shop.engine.pass(desired, 'start');
  await shop.engine.settled();
  assert.equal(
    shop.requested(),
    apis.map((api) => `${api} online`),
  );
  const recorded = await shop.store.readAll(desired.gateway);
  assert.equal(
    [...recorded.values()].map(({ state, unresolved }) => [state, unresolved]),
    apis.map(() => ['online', null]),
  );
  await shop.engine.pass(desired, 'signal');
  await shop.engine.settled();
  assert.is(shop.requested().length, apis.length);
  const finished = shop.events
    .filter((event) => event.type === 'pass:finished')
    .map(({ summary }) => [summary.online, summary.unchanged, summary.failed]);
  assert.equal(finished, [
    [8, 0, 0],
    [0, 8, 0],
  ]);
});

test('an attempt is in the store, without an outcome, when its request leaves', async () => {
  const seen: (string | null | undefined)[] = [];
  let look = async (): Promise<void> => undefined;
  const wrapGateway = (gateway: Gateway): Gateway => ({
    ...gateway,
    send: async (change, signal) => {
      await look();
      return gateway.send(change, signal);
    },
  });
  await using shop = await workshop({ apis: ['orders'], wrapGateway });
  const desired = shop.desire({ orders: 'online' });
  look = async () => {
    const record = await openRecord({ url: shop.stateUrl });
    const [attempt] = await record.history(desired.gateway, { limit: 1 });
    const [publication] = (await record.readAll(desired.gateway)).values();
    seen.push(attempt?.outcome, String(publication?.unresolved?.attemptId === attempt?.id));
    await record.close();
  };
  await shop.engine.pass(desired, 'start');
  await shop.engine.settled();
  assert.equal(seen, [null, 'true']);
});

test('one failure stops nothing else, and what stalls waits for a new file or a person', async () => {
  await using shop = await workshop({ apis: ['orders'] });
  const desired = shop.desire({ nowhere: 'online', orders: 'online' });
  await shop.engine.pass(desired, 'start');
  await shop.engine.settled();
  assert.equal(shop.requested().toSorted(), ['nowhere online', 'orders online']);
  await shop.engine.pass(desired, 'resync');
  await shop.engine.settled();
  assert.is(shop.requested().length, 2);
  for (const [cause, requests] of [
    ['file', 3],
    ['signal', 4],
  ] as const) {
    await shop.engine.pass(desired, cause);
    await shop.engine.settled();
    assert.is(shop.requested().length, requests);
  }
});

test('what can be retried comes back by itself', async () => {
  await using shop = await workshop({ apis: ['orders'] });
  shop.emulator.faults.add({ times: 1, status: 500, errorCode: 'APIG.9999', errorMsg: 'System error' });
  await shop.engine.pass(shop.desire({ orders: 'online' }), 'start');
  await shop.engine.settled();
  assert.equal(shop.requested(), ['orders online', 'orders online']);
  const retry = shop.events.find((event) => event.type === 'retry:scheduled');
  assert.is(retry?.afterMs, 500);
});

test('gives up after `maxTries` and counts the failure', async () => {
  await using shop = await workshop({ apis: ['orders'], maxTries: 2 });
  shop.emulator.faults.add({ times: 9, status: 500, errorCode: 'APIG.9999', errorMsg: 'System error' });
  await shop.engine.pass(shop.desire({ orders: 'online' }), 'start');
  await shop.engine.settled();
  assert.is(shop.requested().length, 2);
  const last = shop.events.filter((event) => event.type === 'pass:finished').at(-1);
  assert.is(last?.summary.failed, 1);
});

test('an online whose answer was lost is not repeated until a new file, an offline is', async () => {
  let lost = 1;
  const wrapGateway = (gateway: Gateway): Gateway => ({
    ...gateway,
    send: async (change, signal) => {
      const outcome = await gateway.send(change, signal);
      lost -= 1;
      return lost >= 0
        ? { kind: 'unknown', failure: { code: 'TIMEOUT', status: null, message: '', hint: null, requestId: null } }
        : outcome;
    },
  });
  await using shop = await workshop({ apis: ['orders'], wrapGateway });
  const up = shop.desire({ orders: 'online' });
  await shop.engine.pass(up, 'start');
  await shop.engine.settled();
  await shop.engine.pass(up, 'resync');
  await shop.engine.settled();
  assert.equal(shop.requested(), ['orders online']);
  assert.is([...(await shop.store.readAll(up.gateway)).values()][0]?.unresolved?.action, 'online');
  await shop.engine.pass(up, 'file');
  await shop.engine.settled();
  assert.equal(shop.requested(), ['orders online', 'orders online']);

  lost = 1;
  await shop.engine.pass(shop.desire({ orders: 'offline' }), 'file');
  await shop.engine.settled();
  assert.equal(shop.requested().slice(2), ['orders offline', 'orders offline']);
});

test('a newer desired state drops what has not been sent', async () => {
  const apis = names(30);
  await using shop = await workshop({ apis, limit: { calls: 1000, perMs: 1000, concurrency: 2 } });
  shop.emulator.faults.latencyMs = 50;
  await shop.engine.pass(shop.desire(all(apis, 'online')), 'start');
  await until('calls are made', () => shop.requested().length >= 2);
  await shop.engine.pass(shop.desire(all(apis, 'offline')), 'file');
  await shop.engine.settled();
  const online = shop.requested().filter((request) => request.endsWith('online'));
  assert.ok(online.length < 10, `${online.length} were sent`);
  assert.ok(shop.emulator.world.publications().every((publication) => publication.effective === null));
});

test('two calls for one publication are never in flight together', async () => {
  let most = 0;
  const inFlight = new Map<string, number>();
  const wrapGateway = (gateway: Gateway): Gateway => ({
    ...gateway,
    send: async (change, signal) => {
      const now = (inFlight.get(change.key) ?? 0) + 1;
      inFlight.set(change.key, now);
      most = Math.max(most, now);
      const outcome = await gateway.send(change, signal);
      inFlight.set(change.key, now - 1);
      return outcome;
    },
  });
  await using shop = await workshop({ apis: ['orders', 'carts'], wrapGateway, limit: { calls: 1000, perMs: 1000, concurrency: 8 } });
  shop.emulator.faults.latencyMs = 5;
  for (let round = 0; round < 30; round += 1) {
    const state = round % 2 === 0 ? 'online' : 'offline';
    await shop.engine.pass(shop.desire({ orders: state, carts: 'online' }), 'file');
    await new Promise((resolve) => setTimeout(resolve, round % 4));
  }
  await shop.engine.settled();
  assert.is(most, 1);
  const states = shop.emulator.world.publications().map(({ api, effective }) => `${api} ${effective !== null}`);
  assert.equal(states.toSorted(), ['api-carts true', 'api-orders false']);
});

test('a store that cannot record an attempt means no call', async () => {
  const full = new EdictError('STORE_FULL', 'the disk is full');
  const wrapStore = (store: Store): Store =>
    Object.assign(Object.create(store) as Store, {
      begin: () => Promise.reject(full),
      readAll: store.readAll.bind(store),
      read: store.read.bind(store),
    });
  await using shop = await workshop({ apis: ['orders'], wrapStore, maxTries: 1 });
  await shop.engine.pass(shop.desire({ orders: 'online' }), 'start');
  await shop.engine.settled();
  assert.equal(shop.requested(), []);
  assert.ok(shop.events.some((event) => event.type === 'store:failed' && event.message === 'the disk is full'));
});

test('an outcome that cannot be written is written later, and its call is not repeated', async () => {
  let failures = 2;
  const wrapStore = (store: Store): Store => ({
    read: store.read.bind(store),
    readAll: store.readAll.bind(store),
    history: store.history.bind(store),
    lastAttempts: store.lastAttempts.bind(store),
    begin: store.begin.bind(store),
    close: store.close.bind(store),
    settle: (...settled) => {
      failures -= 1;
      return failures >= 0 ? Promise.reject(new EdictError('STORE_FULL', 'the disk is full')) : store.settle(...settled);
    },
  });
  await using shop = await workshop({ apis: ['orders'], wrapStore });
  const desired = shop.desire({ orders: 'online' });
  await shop.engine.pass(desired, 'start');
  await shop.engine.settled();
  assert.equal(shop.requested(), ['orders online']);
  const [recorded] = (await shop.store.readAll(desired.gateway)).values();
  assert.equal([recorded?.state, recorded?.unresolved], ['online', null]);
});

for (const [calls, perMs, concurrency] of [
  [5, 200, 1],
  [1, 100, 4],
  [20, 500, 16],
] as const) {
  test(`no window of ${perMs} ms holds more than ${calls} requests, as the gateway sees it, with ${concurrency} in flight`, async () => {
    const apis = names(calls * 4);
    await using shop = await workshop({ apis, limit: { calls, perMs, concurrency } });
    await shop.engine.pass(shop.desire(all(apis, 'online')), 'start');
    await shop.engine.settled();
    const arrived = shop.emulator.requests.all().map((request) => request.atMs);
    assert.is(arrived.length, apis.length);
    for (const [index, at] of arrived.entries()) {
      const next = arrived[index + calls];
      if (next !== undefined)
        assert.ok(next - at >= perMs, `requests ${index} and ${index + calls} came ${(next - at).toFixed(1)} ms apart`);
    }
  });
}

test.run();
