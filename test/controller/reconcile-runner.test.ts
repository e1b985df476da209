import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { systemClock } from '../../src/app/context.ts';
import { tokenAuth } from '../../src/gateway/auth/credentials.ts';
import { StaticCredentials } from '../../src/gateway/auth/static-credentials.ts';
import type { Gateway } from '../../src/gateway/interface.ts';
import { EdictError, StoreError } from '../../src/model/errors.ts';
import type { Failure, Outcome } from '../../src/model/outcome.ts';
import type { Store } from '../../src/store/interface.ts';
import { openReadonly } from '../../src/store/open.ts';
import { type ControllerFixture, openController } from '../support/controller-fixture.ts';
import { until } from '../support/edict-process.ts';

const names = (count: number): string[] => Array.from({ length: count }, (_, index) => `a${String(index).padStart(2, '0')}`);
const all = <T>(apis: readonly string[], state: T): Record<string, T> => Object.fromEntries(apis.map((api) => [api, state]));

test('makes the calls of the plan in order, records them, and makes none the second time', async () => {
  const apis = names(8);
  await using fixture = await openController({ apis, limit: { calls: 1000, perMs: 1000, concurrency: 1 } });
  const desired = fixture.desire(all(apis.toReversed(), 'online'));
  await fixture.controller.reconcile(desired, 'startup');
  await fixture.controller.idle();
  assert.equal(
    fixture.requested(),
    apis.map((api) => `${api} online`),
  );
  const recorded = await fixture.store.readRecordedState(desired.gateway);
  assert.equal(
    [...recorded.values()].map(({ state, unknownAttempt }) => [state, unknownAttempt]),
    apis.map(() => ['online', null]),
  );
  await fixture.controller.reconcile(desired, 'signal');
  await fixture.controller.idle();
  assert.is(fixture.requested().length, apis.length);
  const finished = fixture.events
    .filter((event) => event.type === 'reconcile:finished')
    .map(({ summary }) => [summary.online, summary.unchanged, summary.failed]);
  assert.equal(finished, [
    [8, 0, 0],
    [0, 8, 0],
  ]);
});

test('an attempt is in the store, without an outcome, when its request is sent', async () => {
  const seen: (string | null | undefined)[] = [];
  let read = async (): Promise<void> => undefined;
  const wrapGateway = (gateway: Gateway): Gateway => ({
    ...gateway,
    send: async (change, how, signal) => {
      await read();
      return gateway.send(change, how, signal);
    },
  });
  await using fixture = await openController({ apis: ['orders'], wrapGateway });
  const desired = fixture.desire({ orders: 'online' });
  read = async () => {
    const record = await openReadonly({ url: fixture.stateUrl });
    const [attempt] = await record.history(desired.gateway, { limit: 1 });
    const [publication] = (await record.readRecordedState(desired.gateway)).values();
    seen.push(attempt?.outcome, String(publication?.unknownAttempt?.attemptId === attempt?.id));
    await record.close();
  };
  await fixture.controller.reconcile(desired, 'startup');
  await fixture.controller.idle();
  assert.equal(seen, [null, 'true']);
});

test('one failure stops nothing else, and a rejected change waits for a new file or a person', async () => {
  await using fixture = await openController({ apis: ['orders'] });
  const desired = fixture.desire({ nowhere: 'online', orders: 'online' });
  await fixture.controller.reconcile(desired, 'startup');
  await fixture.controller.idle();
  assert.equal(fixture.requested().toSorted(), ['nowhere online', 'orders online']);
  await fixture.controller.reconcile(desired, 'resync');
  await fixture.controller.idle();
  assert.is(fixture.requested().length, 2);
  for (const [cause, requests] of [
    ['file', 3],
    ['signal', 4],
  ] as const) {
    await fixture.controller.reconcile(desired, cause);
    await fixture.controller.idle();
    assert.is(fixture.requested().length, requests);
  }
});

test('a retryable failure is retried automatically', async () => {
  await using fixture = await openController({ apis: ['orders'] });
  fixture.emulator.faults.add({ times: 1, status: 409, errorCode: 'APIG.3718', errorMsg: 'The API is being published' });
  await fixture.controller.reconcile(fixture.desire({ orders: 'online' }), 'startup');
  await fixture.controller.idle();
  assert.equal(fixture.requested(), ['orders online', 'orders online']);
  const retry = fixture.events.find((event) => event.type === 'retry:scheduled');
  assert.is(retry?.afterMs, 500);
});

test('gives up after `maxTries` and counts the failure', async () => {
  await using fixture = await openController({ apis: ['orders'], maxTries: 2 });
  fixture.emulator.faults.add({ times: 9, status: 409, errorCode: 'APIG.3718', errorMsg: 'The API is being published' });
  await fixture.controller.reconcile(fixture.desire({ orders: 'online' }), 'startup');
  await fixture.controller.idle();
  assert.is(fixture.requested().length, 2);
  const last = fixture.events.filter((event) => event.type === 'reconcile:finished').at(-1);
  assert.is(last?.summary.failed, 1);
});

/** Makes the outcome of the next calls unknown, whether they took effect or not. */
function losing(count: number, reaches: boolean): (gateway: Gateway) => Gateway {
  let left = count;
  const lost: Outcome = {
    kind: 'unknown',
    failure: { code: 'TIMEOUT', status: null, message: '', hint: null, requestId: null, retryAfterMs: null },
  };
  return (gateway) => ({
    ...gateway,
    send: async (change, how, signal) => {
      left -= 1;
      if (left >= 0 && !reaches) return lost;
      const outcome = await gateway.send(change, how, signal);
      return left >= 0 ? lost : outcome;
    },
  });
}

test('a call whose response was lost is confirmed by observation and not repeated', async () => {
  await using fixture = await openController({ apis: ['orders'], wrapGateway: losing(1, true) });
  const up = fixture.desire({ orders: 'online' });
  await fixture.controller.reconcile(up, 'startup');
  await fixture.controller.idle();
  assert.equal(fixture.requested(), ['orders online']);
  const [recorded] = (await fixture.store.readRecordedState(up.gateway)).values();
  const made = fixture.emulator.state.publications()[0]?.effective?.versionId;
  assert.equal([recorded?.state, recorded?.versionId, recorded?.unknownAttempt], ['online', made, null]);
  const [attempt] = await fixture.store.history(up.gateway, { limit: 1 });
  assert.equal([attempt?.outcome, attempt?.versionId, attempt?.code], ['succeeded', made, 'TIMEOUT']);
});

test('a call that was lost on its way is repeated once the propagation delay has passed', async () => {
  await using fixture = await openController({
    apis: ['orders'],
    wrapGateway: losing(1, false),
    settings: { propagationDelayMs: 1500, timeoutMs: 1000 },
  });
  const up = fixture.desire({ orders: 'online' });
  const beganAtMs = Date.now();
  await fixture.controller.reconcile(up, 'startup');
  await fixture.controller.idle();
  assert.equal(fixture.requested(), ['orders online']);
  const arrived = fixture.emulator.requests.all().find(({ operation }) => operation === 'changePublication');
  assert.ok((arrived?.atMs ?? 0) - beganAtMs >= 2500, 'not found is believed only after a request has had time to arrive and to be listed');
  const outcomes = (await fixture.store.history(up.gateway, { limit: 9 })).map(({ outcome }) => outcome);
  assert.equal(outcomes, ['succeeded', 'notApplied']);
});

test('a gateway that drops remarks and loses its answers makes one version of each publication, and a person is asked', async () => {
  const wrapGateway = (gateway: Gateway): Gateway => {
    const losingAll = losing(Number.POSITIVE_INFINITY, true)(gateway);
    return { ...gateway, send: (change, how, signal) => losingAll.send(change, { ...how, marker: null }, signal) };
  };
  await using fixture = await openController({ apis: names(3), wrapGateway });
  await fixture.controller.reconcile(fixture.desire(all(names(3), 'online')), 'startup');
  await fixture.controller.idle();
  assert.is(fixture.requested().length, 3);
  const held = fixture.events.filter((event) => event.type === 'attempt:unknown');
  assert.equal(
    held.map(({ isRetried }) => isRetried),
    [false, false, false],
  );
});

test('an offline whose response was lost is not repeated either, if it took effect', async () => {
  const shift = losing(1, true);
  let wraps = false;
  const wrapGateway = (gateway: Gateway): Gateway => {
    const losingOne = shift(gateway);
    return { ...gateway, send: (...args) => (wraps ? losingOne : gateway).send(...args) };
  };
  await using fixture = await openController({ apis: ['orders'], wrapGateway });
  await fixture.controller.reconcile(fixture.desire({ orders: 'online' }), 'startup');
  await fixture.controller.idle();
  wraps = true;
  await fixture.controller.reconcile(fixture.desire({ orders: 'offline' }), 'file');
  await fixture.controller.idle();
  assert.equal(fixture.requested(), ['orders online', 'orders offline']);
});

for (const [unknownOutcome, calls, unknownCount] of [
  ['hold', 1, 1],
  ['retry', 2, 0],
] as const) {
  test(`if the list cannot be read, an online with an unknown outcome follows the file: ${unknownOutcome}`, async () => {
    const wrapGateway = (gateway: Gateway): Gateway => ({
      ...losing(1, true)(gateway),
      listVersions: async () => ({
        kind: 'rejected',
        failure: { code: 'APIG.1005', status: 403, message: 'No permissions', hint: null, requestId: null, retryAfterMs: null },
      }),
    });
    await using fixture = await openController({ apis: ['orders'], wrapGateway, settings: { unknownOutcome } });
    await fixture.controller.reconcile(fixture.desire({ orders: 'online' }), 'startup');
    await fixture.controller.idle();
    assert.is(fixture.requested().length, calls);
    const last = fixture.events.filter((event) => event.type === 'reconcile:finished').at(-1);
    assert.equal([last?.summary.unknown, last?.summary.held, last?.summary.failed], [unknownCount, 0, 0]);
    const unknown = fixture.events.find((event) => event.type === 'attempt:unknown');
    assert.equal([unknown?.isRetried, unknown?.reason], [unknownOutcome === 'retry', 'APIG.1005 No permissions']);
  });
}

test('rejected credentials stop every call until they change', async () => {
  let token = 'wrong';
  const credentials = new StaticCredentials(() => ({ auth: tokenAuth(token), fingerprint: token }), 'HW_AUTH_TOKEN_FILE', systemClock);
  await using fixture = await openController({ apis: names(10), credentials, anyToken: false });
  await fixture.controller.reconcile(fixture.desire(all(names(10), 'online')), 'startup');
  await until('requests are paused', () => fixture.events.some((event) => event.type === 'requests:paused'));
  await new Promise((resolve) => setTimeout(resolve, 300));
  assert.is(fixture.requested().length, 1, 'one call was enough to know');
  assert.is(fixture.rateLimiter.paused?.reason, 'credentials');
  assert.is((await fixture.store.status(fixture.desire({}).gateway))?.paused?.reason, 'credentials');
  token = 'token';
  await fixture.controller.idle();
  assert.is(fixture.requested().length, 11);
  assert.ok(fixture.events.some((event) => event.type === 'requests:resumed'));
});

for (const [what, error, waitMs] of [
  ['one unlisted 401', { errorCode: 'APIG.1099', errorMsg: 'Unexpected' }, 60_000],
  ['one refusal of a token that was accepted before', { errorCode: 'APIG.1002', errorMsg: 'Incorrect token' }, 60_000],
  ['a locked key', { errorCode: 'APIGW.0301', errorMsg: 'AK access failed to reach the limit,forbidden.' }, 360_000],
] as const) {
  test(`${what} pauses an apply and a daemon until they have tried once more`, async () => {
    for (const maxTries of [4, Number.POSITIVE_INFINITY]) {
      const clock = { nowMs: 0, monotonicMs: () => clock.nowMs };
      const credentials = new StaticCredentials(() => ({ auth: tokenAuth('token'), fingerprint: 'token' }), 'HW_AUTH_TOKEN', clock);
      await using fixture = await openController({
        apis: names(10),
        credentials,
        anyToken: false,
        maxTries,
        limit: { calls: 1000, perMs: 1000, concurrency: 1 },
      });
      await fixture.controller.reconcile(fixture.desire(all(names(2), 'online')), 'startup');
      await fixture.controller.idle();
      fixture.emulator.faults.add({ times: 1, status: 401, ...error });
      await fixture.controller.reconcile(fixture.desire(all(names(10), 'online')), 'file');
      await until('requests are paused', () => fixture.rateLimiter.paused !== null);
      clock.nowMs += waitMs - 1;
      await new Promise((resolve) => setTimeout(resolve, 1100));
      assert.is(fixture.requested().length, 3);
      assert.match(fixture.rateLimiter.paused?.message ?? '', `one more try in ${waitMs / 1000} s`);
      clock.nowMs += 1;
      await fixture.controller.idle();
      assert.is(fixture.requested().length, 11);
    }
  });
}

test('an apply ends when its key is refused again when it is tried once more', async () => {
  const clock = { nowMs: 0, monotonicMs: () => clock.nowMs };
  const credentials = new StaticCredentials(() => ({ auth: tokenAuth('token'), fingerprint: 'token' }), 'HW_AUTH_TOKEN', clock);
  await using fixture = await openController({ apis: names(10), credentials, anyToken: false, maxTries: 4 });
  fixture.emulator.faults.add({ times: 2, status: 401, errorCode: 'APIG.1099', errorMsg: 'Unexpected' });
  await fixture.controller.reconcile(fixture.desire(all(names(10), 'online')), 'startup');
  await until('requests are paused', () => fixture.rateLimiter.paused !== null);
  clock.nowMs += 60_000;
  await fixture.controller.idle();
  assert.is(fixture.requested().length, 2);
});

test('an outage costs an occasional probe, and its end is noticed', async () => {
  let isDown = true;
  let sent = 0;
  let probed = 0;
  const lost: Failure = { code: 'CONNECTION_FAILED', status: null, message: '', hint: null, requestId: null, retryAfterMs: null };
  const fixtures: ControllerFixture[] = [];
  const viaTraffic = async <T>(ask: () => Promise<T>, answer: T): Promise<T> => {
    if (!isDown) return ask();
    (await fixtures[0]?.rateLimiter.acquire(new AbortController().signal))?.({ kind: 'lost', retryAfterMs: null, rateLimit: null });
    return answer;
  };
  const wrapGateway = (gateway: Gateway): Gateway => ({
    ...gateway,
    send: (...args) => {
      sent += 1;
      return viaTraffic(() => gateway.send(...args), { kind: 'retryable', failure: lost });
    },
    listEnvironments: (...args) => {
      probed += 1;
      return viaTraffic(() => gateway.listEnvironments(...args), { kind: 'retryable', failure: lost });
    },
  });
  await using fixture = await openController({ apis: names(50), wrapGateway });
  fixtures.push(fixture);
  await fixture.controller.reconcile(fixture.desire(all(names(50), 'online')), 'startup');
  await until('three probes', () => probed >= 3);
  assert.ok(sent <= 10, `${sent} were sent`);
  isDown = false;
  await fixture.controller.idle();
  assert.is(fixture.requested().length, 50);
});

test('an apply ends during a long outage and reports the unsent changes', async () => {
  const lost: Failure = { code: 'CONNECTION_FAILED', status: null, message: '', hint: null, requestId: null, retryAfterMs: null };
  const fixtures: ControllerFixture[] = [];
  const lose = async () => {
    (await fixtures[0]?.rateLimiter.acquire(new AbortController().signal))?.({ kind: 'lost', retryAfterMs: null, rateLimit: null });
    return { kind: 'retryable', failure: lost } as const;
  };
  const wrapGateway = (gateway: Gateway): Gateway => ({ ...gateway, send: lose, listEnvironments: lose });
  await using fixture = await openController({ apis: names(50), wrapGateway, maxTries: 4 });
  fixtures.push(fixture);
  await fixture.controller.reconcile(fixture.desire(all(names(50), 'online')), 'startup');
  await fixture.controller.idle();
  assert.equal(fixture.requested(), []);
  assert.ok((await fixture.controller.stop()) > 40);
});

test('a newer desired state supersedes the unsent changes', async () => {
  const apis = names(30);
  await using fixture = await openController({ apis, limit: { calls: 1000, perMs: 1000, concurrency: 2 } });
  fixture.emulator.faults.latencyMs = 50;
  await fixture.controller.reconcile(fixture.desire(all(apis, 'online')), 'startup');
  await until('calls are made', () => fixture.requested().length >= 2);
  await fixture.controller.reconcile(fixture.desire(all(apis, 'offline')), 'file');
  await fixture.controller.idle();
  const online = fixture.requested().filter((request) => request.endsWith('online'));
  assert.ok(online.length < 10, `${online.length} were sent`);
  assert.ok(fixture.emulator.state.publications().every((publication) => publication.effective === null));
});

test('two calls for one publication are never in flight together', async () => {
  let most = 0;
  const inFlight = new Map<string, number>();
  const wrapGateway = (gateway: Gateway): Gateway => ({
    ...gateway,
    send: async (change, how, signal) => {
      const now = (inFlight.get(change.key) ?? 0) + 1;
      inFlight.set(change.key, now);
      most = Math.max(most, now);
      const outcome = await gateway.send(change, how, signal);
      inFlight.set(change.key, now - 1);
      return outcome;
    },
  });
  await using fixture = await openController({
    apis: ['orders', 'carts'],
    wrapGateway,
    limit: { calls: 1000, perMs: 1000, concurrency: 8 },
  });
  fixture.emulator.faults.latencyMs = 5;
  for (let round = 0; round < 30; round += 1) {
    const state = round % 2 === 0 ? 'online' : 'offline';
    await fixture.controller.reconcile(fixture.desire({ orders: state, carts: 'online' }), 'file');
    await new Promise((resolve) => setTimeout(resolve, round % 4));
  }
  await fixture.controller.idle();
  assert.is(most, 1);
  const states = fixture.emulator.state.publications().map(({ api, effective }) => `${api} ${effective !== null}`);
  assert.equal(states.toSorted(), ['api-carts true', 'api-orders false']);
});

test('no call is made if the store cannot record the attempt', async () => {
  const full = new StoreError('STORE_FULL', 'the disk is full');
  const wrapStore = (store: Store): Store =>
    Object.assign(Object.create(store) as Store, {
      beginAttempt: () => Promise.reject(full),
      readRecordedState: store.readRecordedState.bind(store),
      readPublication: store.readPublication.bind(store),
      saveStatus: store.saveStatus.bind(store),
      previousState: store.previousState.bind(store),
      gatewayMove: store.gatewayMove.bind(store),
      lastObservation: store.lastObservation.bind(store),
      saveDeclared: () => Promise.reject(full),
    });
  await using fixture = await openController({ apis: ['orders'], wrapStore, maxTries: 1 });
  await fixture.controller.reconcile(fixture.desire({ orders: 'online' }), 'startup');
  await fixture.controller.idle();
  assert.equal(fixture.requested(), []);
  assert.ok(fixture.events.some((event) => event.type === 'store:error' && event.message === 'the disk is full'));
});

test('an outcome that cannot be written is written later, and its call is not repeated', async () => {
  let failures = 2;
  const wrapStore = (store: Store): Store => ({
    readPublication: store.readPublication.bind(store),
    readRecordedState: store.readRecordedState.bind(store),
    history: store.history.bind(store),
    newestAttemptId: store.newestAttemptId.bind(store),
    lastAttempts: store.lastAttempts.bind(store),
    findAttempts: store.findAttempts.bind(store),
    succeededAfter: store.succeededAfter.bind(store),
    status: store.status.bind(store),
    appliedDigests: store.appliedDigests.bind(store),
    leaseHolder: store.leaseHolder.bind(store),
    reconcileRequest: store.reconcileRequest.bind(store),
    acquire: store.acquire.bind(store),
    watch: store.watch.bind(store),
    release: store.release.bind(store),
    deleteRecord: store.deleteRecord.bind(store),
    pruneHistory: store.pruneHistory.bind(store),
    pruneApprovals: store.pruneApprovals.bind(store),
    pruneRecordedState: store.pruneRecordedState.bind(store),
    saveStatus: store.saveStatus.bind(store),
    saveSuspension: store.saveSuspension.bind(store),
    beginAttempt: store.beginAttempt.bind(store),
    saveObservation: store.saveObservation.bind(store),
    saveUnobserved: store.saveUnobserved.bind(store),
    lastObservation: store.lastObservation.bind(store),
    unobserved: store.unobserved.bind(store),
    resolvedNames: store.resolvedNames.bind(store),
    previousState: store.previousState.bind(store),
    approvals: store.approvals.bind(store),
    saveDeclared: store.saveDeclared.bind(store),
    saveMove: store.saveMove.bind(store),
    endMove: store.endMove.bind(store),
    acceptAddress: store.acceptAddress.bind(store),
    isAcceptedAddress: store.isAcceptedAddress.bind(store),
    gatewayMove: store.gatewayMove.bind(store),
    saveNames: store.saveNames.bind(store),
    close: store.close.bind(store),
    finishAttempt: (...args) => {
      failures -= 1;
      return failures >= 0 ? Promise.reject(new StoreError('STORE_FULL', 'the disk is full')) : store.finishAttempt(...args);
    },
  });
  await using fixture = await openController({ apis: ['orders'], wrapStore });
  const desired = fixture.desire({ orders: 'online' });
  await fixture.controller.reconcile(desired, 'startup');
  await fixture.controller.idle();
  assert.equal(fixture.requested(), ['orders online']);
  const [recorded] = (await fixture.store.readRecordedState(desired.gateway)).values();
  assert.equal([recorded?.state, recorded?.unknownAttempt], ['online', null]);
});

for (const [calls, perMs, concurrency] of [
  [5, 200, 1],
  [1, 100, 4],
  [20, 500, 16],
] as const) {
  test(`no window of ${perMs} ms holds more than ${calls} requests, as the gateway sees it, with ${concurrency} in flight`, async () => {
    const apis = names(calls * 4);
    await using fixture = await openController({ apis, limit: { calls, perMs, concurrency } });
    await fixture.controller.reconcile(fixture.desire(all(apis, 'online')), 'startup');
    await fixture.controller.idle();
    const arrived = fixture.emulator.requests.all().map((request) => request.atMs);
    assert.is(arrived.length, apis.length);
    for (const [index, at] of arrived.entries()) {
      const next = arrived[index + calls];
      if (next !== undefined)
        assert.ok(next - at >= perMs, `requests ${index} and ${index + calls} came ${(next - at).toFixed(1)} ms apart`);
    }
  });
}

test('nothing is changed at a gateway that was never observed and cannot be, even by a new file; it is observed again within seconds', async () => {
  await using fixture = await openController({ apis: ['orders'], refresh: true });
  fixture.emulator.faults.add({ times: 1, status: 403, errorCode: 'APIG.1005', errorMsg: 'No permissions', operation: 'listApis' });
  const planned = fixture.controller.reconcile(fixture.desire({ orders: 'online' }), 'startup');
  await until('it could not be observed', () => fixture.events.some(({ type }) => type === 'gateway:observe_failed'));
  assert.equal(fixture.requested(), []);
  await planned;
  await fixture.controller.idle();
  assert.equal(fixture.requested(), ['orders online']);
});

test('an apply whose gateway cannot be observed ends with the reason and sends nothing', async () => {
  await using fixture = await openController({ apis: ['orders'], refresh: true, maxTries: 4 });
  fixture.emulator.faults.add({ times: 1, status: 403, errorCode: 'APIG.1005', errorMsg: 'No permissions', operation: 'listApis' });
  const refused = await fixture.controller.reconcile(fixture.desire({ orders: 'online' }), 'startup').catch((error: unknown) => error);
  assert.is(refused instanceof EdictError && refused.code, 'OBSERVATION_FAILED');
  assert.equal(fixture.requested(), []);
});

for (const [what, fault] of [
  ['an error', { status: 503, errorCode: 'APIG.9999', errorMsg: 'System error' }],
  ['a request for fewer requests', { status: 429, errorCode: 'APIG.0308', errorMsg: 'slow down', headers: { 'Retry-After': '1' } }],
  ['a broken connection', { kind: 'cut' }],
] as const) {
  test(`an apply reads the gateway again after ${what}, at most four times in all`, async () => {
    await using fixture = await openController({ apis: ['orders'], refresh: true, maxTries: 4 });
    fixture.emulator.faults.add({ times: 1, operation: 'listApis', ...fault });
    await fixture.controller.reconcile(fixture.desire({ orders: 'online' }), 'startup');
    await fixture.controller.idle();
    assert.equal(fixture.requested(), ['orders online']);
  });
}

test('an API that is online already is adopted without a call, and drift is corrected once', async () => {
  await using fixture = await openController({ apis: ['orders', 'carts'], refresh: true });
  fixture.emulator.state.changeManually('api-orders', 'env-test', 'online');
  const desired = { ...fixture.desire({ orders: { driftPolicy: 'correct' }, carts: 'online' }), refreshIntervalMs: 1 };
  const reconcileOnce = async () => {
    await new Promise((resolve) => setTimeout(resolve, 5));
    await fixture.controller.reconcile(desired, 'resync');
    await fixture.controller.idle();
  };
  await reconcileOnce();
  assert.equal(fixture.requested(), ['carts online']);
  fixture.emulator.state.changeManually('api-orders', 'env-test', 'offline');
  fixture.emulator.state.changeManually('api-carts', 'env-test', 'offline');
  for (let runs = 0; runs < 3; runs += 1) await reconcileOnce();
  assert.equal(fixture.requested(), ['carts online', 'orders online']);
  const notes = fixture.events.flatMap((event) => (event.type === 'publication:drift' ? [`${event.notice.api} ${event.notice.kind}`] : []));
  assert.equal(notes, ['orders adopted', 'orders drift', 'carts drift']);
  const plans = fixture.events.flatMap((event) => (event.type === 'plan:computed' ? [event.plan.drifted.map(({ api }) => api)] : []));
  assert.equal(plans.at(-1), ['carts']);
});

test('a list that lags behind the calls of edict costs no version', async () => {
  await using fixture = await openController({ apis: ['orders'], refresh: true, settings: { propagationDelayMs: 60_000 } });
  const desired = { ...fixture.desire({ orders: { driftPolicy: 'correct' } }), refreshIntervalMs: 1 };
  await fixture.controller.reconcile(desired, 'startup');
  await fixture.controller.idle();
  const placed = fixture.emulator.state.placementOf.bind(fixture.emulator.state);
  fixture.emulator.state.placementOf = (api) => ({ ...placed(api, 'now'), placements: [] });
  for (let runs = 0; runs < 3; runs += 1) {
    await new Promise((resolve) => setTimeout(resolve, 5));
    await fixture.controller.reconcile(desired, 'resync');
    await fixture.controller.idle();
  }
  assert.equal(fixture.requested(), ['orders online']);
});

test('an observation that hangs delays neither a newer file nor the shutdown', async () => {
  let hangs = false;
  let hanging = 0;
  const wrapGateway = (gateway: Gateway): Gateway => ({
    ...gateway,
    listApis: async (signal) => {
      if (hangs) {
        hanging += 1;
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
      }
      return gateway.listApis(signal);
    },
  });
  await using fixture = await openController({ apis: names(20), wrapGateway, limit: { calls: 1, perMs: 100, concurrency: 1 } });
  const observed = { refreshIntervalMs: 1 };
  await fixture.controller.reconcile({ ...fixture.desire({}), ...observed }, 'startup');
  hangs = true;
  await fixture.controller.reconcile({ ...fixture.desire(all(names(20), 'online')), ...observed }, 'file');
  await until('calls are made', () => fixture.requested().length > 1);
  await fixture.controller.reconcile({ ...fixture.desire(all(names(20), 'offline')), ...observed }, 'file');
  const { length } = fixture.requested();
  await until('the published ones are taken offline', () => fixture.requested().some((request) => request.endsWith('offline')));
  assert.ok(fixture.requested().filter((request) => request.endsWith('online')).length <= length + 1);
  assert.is(hanging, 1, 'one observation still hangs');
});

test.run();
