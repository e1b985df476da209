import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { DriftDetector, type ObservationEnded } from '../../../src/controller/observe/drift-detector.ts';
import type { GatewayReader } from '../../../src/gateway/interface.ts';
import type { DesiredState } from '../../../src/model/desired-state.ts';
import { EdictError, LeaseHeldError, StoreError } from '../../../src/model/errors.ts';
import type { EdictEvent } from '../../../src/model/events.ts';
import type { ObservedApi } from '../../../src/model/observation.ts';
import type { Failure, ReadResult } from '../../../src/model/outcome.ts';
import type { RefreshMode } from '../../../src/model/settings.ts';
import { openStore } from '../../../src/store/open.ts';
import { until } from '../../support/edict-process.ts';
import { desiredState, lastObservation, recorded, savedObservation, wanted } from '../../support/states.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const root = temporaryFolder();
let stores = 0;
const minuteMs = 60_000;
const failure: Failure = { code: 'APIG.9999', status: 500, message: 'x', hint: null, requestId: null, retryAfterMs: null };
const down: ReadResult<never> = { kind: 'retryable', failure };

function file(refreshIntervalMs: number | null): DesiredState {
  return desiredState([wanted('orders', 'test')], { refreshIntervalMs });
}

function published(...environments: readonly string[]): ReadResult<ReadonlyMap<string, ObservedApi>> {
  const publications = new Map(environments.map((environment) => [`env-${environment}`, { publishId: 'p', publishedAtMs: 1 }]));
  return {
    kind: 'read',
    value: new Map([['api-orders', { apiId: 'api-orders', name: 'orders', groupId: '', group: '', editedAtMs: null, publications }]]),
  };
}

/** A drift detector over a real store and a gateway that lists `shown.apis`. */
async function watching({
  refresh = 'due',
  observesAgain = true,
  isEmulated = false,
}: {
  readonly refresh?: RefreshMode;
  readonly observesAgain?: boolean;
  readonly isEmulated?: boolean;
} = {}) {
  stores += 1;
  const store = await openStore({ url: `sqlite:${join(root, `${stores}.db`)}`, isEmulated: false });
  await store.acquire(file(null).gateway, 0);
  const events: EdictEvent[] = [];
  const shown = { apis: published('test') as ReadResult<ReadonlyMap<string, ObservedApi>>, reads: 0, delay: Promise.resolve() };
  const time = { ms: 5_000_000 };
  const gateway: GatewayReader = {
    identity: file(null).gateway,
    listApis: async () => {
      shown.reads += 1;
      const answer = shown.apis;
      await shown.delay;
      return answer;
    },
    getApi: async () => ({ kind: 'read', value: null }),
    listEnvironments: async () => ({ kind: 'read', value: [] }),
    listVersions: async () => ({ kind: 'read', value: [] }),
    listApiVersions: async () => ({ kind: 'read', value: new Map() }),
    close: async () => undefined,
  };
  const clock = { now: () => time.ms, monotonicMs: () => time.ms };
  const ended: ObservationEnded[] = [];
  const credentials = { isRejected: false };
  const detector = new DriftDetector({
    store,
    gateway,
    clock,
    emit: (event) => events.push(event),
    refresh,
    observesAgain,
    isEmulated,
    isUnauthorized: () => credentials.isRejected,
    onEnded: (one) => ended.push(one),
  });
  /** Starts an observation if it is due, waits for its end, and returns how it started and the code of the error that blocks planning. */
  const observe = async (desired: DesiredState) => {
    ended.splice(0);
    const started = await detector.start(desired, 'reconcile-1');
    await until('the observation has ended', () => !detector.isRunning);
    const [one] = ended;
    return [started, one === undefined ? 'none' : one.error instanceof EdictError ? one.error.code : one.error];
  };
  const states = async (): Promise<(string | null)[]> =>
    [...(await store.readRecordedState(file(null).gateway)).values()].map(({ state }) => state);
  return {
    store,
    detector,
    ended,
    credentials,
    shown,
    time,
    states,
    observe,
    types: () => events.splice(0).map((event) => (event.type === 'publication:drift' ? event.notice.kind : event.type)),
    [Symbol.asyncDispose]: () => store.close(),
  };
}

test('nothing is observed unless it is requested', async () => {
  await using at = await watching();
  assert.equal(await at.observe(file(null)), ['none', 'none']);
  assert.equal([at.shown.reads, at.types(), await at.states()], [0, [], []]);
});

test('an emulated gateway is observed only on request, whatever interval the file has', async () => {
  await using due = await watching({ isEmulated: true });
  assert.equal(await due.observe(file(minuteMs)), ['none', 'none']);
  assert.is(due.shown.reads, 0);
  await using requested = await watching({ isEmulated: true, refresh: 'always' });
  assert.equal(await requested.observe(file(minuteMs)), ['required', null]);
  assert.is(requested.shown.reads, 1);
});

test('records the observation and emits an event', async () => {
  await using at = await watching();
  assert.equal(await at.observe(file(minuteMs)), ['required', null], 'no plan is computed before a gateway was observed');
  assert.equal([at.types(), await at.states()], [['gateway:observed', 'adopted'], ['online']]);
  assert.equal(await at.store.lastObservation(file(null).gateway), lastObservation(1, { observedAtMs: 5_000_000, lookedUp: new Set() }));
});

test('observes again when the interval is over, and an identical observation writes nothing', async () => {
  await using at = await watching();
  await at.observe(file(minuteMs));
  const before = await at.store.readRecordedState(file(null).gateway);
  at.types();
  at.time.ms += minuteMs - 1;
  assert.equal(await at.observe(file(minuteMs)), ['none', 'none']);
  at.time.ms += 1;
  assert.equal(await at.observe(file(minuteMs)), ['running', null]);
  assert.equal([at.shown.reads, at.types(), await at.store.readRecordedState(file(null).gateway)], [2, ['gateway:observed'], before]);
});

test('a deleted API is reported once', async () => {
  await using at = await watching();
  at.shown.apis = { kind: 'read', value: new Map() };
  const observedEvents = async (): Promise<string[]> => {
    at.time.ms += minuteMs;
    await at.observe(file(minuteMs));
    return at.types();
  };
  assert.equal(await observedEvents(), ['gateway:observed', 'apiDeleted']);
  assert.equal(await observedEvents(), ['gateway:observed']);
  at.shown.apis = published('test');
  await observedEvents();
  at.shown.apis = { kind: 'read', value: new Map() };
  assert.equal(await observedEvents(), ['gateway:observed', 'apiDeleted']);
});

test('a longer interval counts from the next observation', async () => {
  await using at = await watching();
  await at.observe(file(60 * minuteMs));
  at.time.ms += minuteMs;
  assert.equal(await at.observe(file(minuteMs)), ['none', 'none']);
  at.time.ms += 60 * minuteMs;
  await at.observe(file(minuteMs));
  assert.is(at.shown.reads, 2);
});

test('a first observation requested by a person is made whatever the file says, and once', async () => {
  await using at = await watching({ refresh: 'always' });
  assert.equal(await at.observe(file(null)), ['required', null]);
  at.time.ms += 1000 * minuteMs;
  assert.equal(await at.observe(file(null)), ['none', 'none']);
  assert.is(at.shown.reads, 1);
});

test('a requested observation that fails ends the reconciliation and is repeated', async () => {
  await using at = await watching({ refresh: 'always' });
  await at.store.saveObservation(file(null).gateway, savedObservation([recorded('orders', 'test')], lastObservation(1)));
  at.shown.apis = down;
  assert.equal(await at.observe(file(null)), ['required', 'OBSERVATION_FAILED']);
  assert.equal([at.types(), await at.states()], [['gateway:observe_failed'], ['online']]);
  at.shown.apis = published();
  at.time.ms += 1000;
  await at.observe(file(null));
  assert.equal([at.types(), await at.states()], [['gateway:observed', 'drift'], ['offline']]);
});

test('nothing is planned for a gateway that was never observed, since every API that is online there would get a new version', async () => {
  await using at = await watching();
  at.shown.apis = down;
  for (const [tries, delayMs] of [1000, 2000, 4000].entries()) {
    assert.equal(await at.observe(file(60 * minuteMs)), ['required', 'OBSERVATION_FAILED']);
    assert.equal(await at.observe(file(60 * minuteMs)), ['required', 'none']);
    assert.equal([at.shown.reads, at.detector.retryAfterMs], [tries + 1, delayMs], 'it is repeated with backoff from a second');
    at.time.ms += delayMs;
  }
  at.shown.apis = published('test');
  assert.equal(await at.observe(file(60 * minuteMs)), ['required', null]);
  assert.equal([await at.observe(file(60 * minuteMs)), at.detector.retryAfterMs], [['none', 'none'], null]);
});

test('the recorded state stays in force when a gateway that was observed before cannot be reached; it is observed again soon', async () => {
  await using at = await watching();
  await at.observe(file(60 * minuteMs));
  at.types();
  at.shown.apis = down;
  at.time.ms += 60 * minuteMs;
  assert.equal(await at.observe(file(60 * minuteMs)), ['running', null]);
  assert.equal([at.types(), await at.states(), at.shown.reads], [['gateway:observe_failed'], ['online'], 2]);
  at.time.ms += minuteMs - 1;
  assert.equal(await at.observe(file(60 * minuteMs)), ['none', 'none']);
  at.time.ms += 1;
  at.shown.apis = published('test');
  assert.equal(await at.observe(file(60 * minuteMs)), ['running', null]);
  assert.equal(at.types(), ['gateway:observed']);
});

test('after a restart the gateway still counts as observed', async () => {
  await using at = await watching();
  await at.store.saveObservation(file(null).gateway, savedObservation([], lastObservation(1)));
  at.shown.apis = down;
  assert.equal(await at.observe(desiredState([wanted('orders', 'test', { state: 'offline' })], { refreshIntervalMs: minuteMs })), [
    'running',
    null,
  ]);
});

/** Files that declare one, two and three APIs. */
const [one, two, three] = [1, 2, 3].map((count) => {
  const publications = ['orders', 'users', 'carts'].slice(0, count).map((api) => wanted(api, 'test'));
  return desiredState(publications, { refreshIntervalMs: minuteMs });
}) as [DesiredState, DesiredState, DesiredState];

test('a daemon waits to look at what a file adds at its start and where the last list showed it, and holds it where that fails', async () => {
  await using at = await watching();
  await at.store.saveObservation(one.gateway, savedObservation([], lastObservation(1)));
  assert.equal(await at.observe(one), ['required', null], 'the record may be as old as the last process');
  at.time.ms += minuteMs;
  assert.equal(await at.observe(two), ['running', null], 'the last list did not show it');
  const unmanaged = [wanted('carts', 'test')];
  await at.store.saveObservation(one.gateway, savedObservation([], lastObservation(1, { observedAtMs: at.time.ms, unmanaged })));
  at.shown.apis = down;
  assert.equal([await at.observe(three), at.detector.unobserved?.reason], [['required', null], 'APIG.9999 x']);
  assert.equal(await at.observe(three), ['none', 'none'], 'no plan waits for the next try');
  at.shown.apis = published('test');
  at.time.ms += minuteMs;
  assert.equal([await at.observe(three), at.detector.unobserved], [['running', null], null]);
});

test('after a failed observation, what a file adds to an old record is looked at first', async () => {
  await using at = await watching();
  await at.observe(one);
  at.shown.apis = down;
  at.time.ms += minuteMs;
  assert.equal([await at.observe(one), at.detector.unobserved], [['running', null], null]);
  assert.equal([await at.observe(two), at.detector.unobserved?.reason], [['required', null], 'APIG.9999 x']);
});

test('what is new to a fresh observation that did not show it is not looked at, unless recorded state was deleted since', async () => {
  await using at = await watching({ observesAgain: false });
  await at.store.saveObservation(one.gateway, savedObservation([], lastObservation(1, { observedAtMs: at.time.ms })));
  assert.equal(await at.observe(one), ['none', 'none']);
  await at.store.deleteRecord(one.gateway, wanted('orders', 'test').key, at.time.ms);
  assert.equal(await at.observe(one), ['required', null]);
});

const refused: ReadResult<never> = { kind: 'rejected', failure: { ...failure, code: 'APIG.1005', status: 403 } };

test('a known gateway that refuses to be listed is not observed again until a person asks for it', async () => {
  await using at = await watching();
  await at.observe(file(minuteMs));
  at.shown.apis = refused;
  at.time.ms += minuteMs;
  assert.equal(await at.observe(file(minuteMs)), ['running', null]);
  at.time.ms += 1000 * minuteMs;
  assert.equal(await at.observe(file(minuteMs)), ['none', 'none']);
  assert.equal([at.shown.reads, at.types()], [2, ['gateway:observed', 'adopted', 'gateway:observe_failed']]);
  assert.ok(at.detector.retryNow());
  at.shown.apis = published('test');
  assert.equal(await at.observe(file(minuteMs)), ['running', null]);
  assert.not.ok(at.detector.retryNow());
});

test('while publications are held because the gateway refuses to be listed, it is tried each minute', async () => {
  await using at = await watching();
  const desired = file(60 * minuteMs);
  at.shown.apis = refused;
  assert.equal(await at.observe(desired), ['required', null]);
  at.time.ms += minuteMs;
  assert.equal(await at.observe(desired), ['running', null]);
  assert.is(at.detector.unobserved?.reason, 'APIG.1005 x');
  at.shown.apis = published('test');
  at.time.ms += minuteMs;
  assert.equal(await at.observe(desired), ['running', null]);
  assert.is(at.detector.unobserved, null);
});

const unauthorized: ReadResult<never> = {
  kind: 'unauthorized',
  failure: { ...failure, code: 'APIG.1002', status: 401, hint: 'renew them' },
};

test('rejected credentials are reported, and nothing is read until they change', async () => {
  await using at = await watching();
  at.shown.apis = unauthorized;
  assert.equal(await at.observe(file(minuteMs)), ['required', 'OBSERVATION_FAILED']);
  assert.is(at.ended[0]?.unauthorized?.code, 'APIG.1002');
  at.credentials.isRejected = true;
  at.time.ms += 1000 * minuteMs;
  assert.equal(await at.observe(file(minuteMs)), ['required', 'none']);
  assert.is(at.shown.reads, 1);
  at.credentials.isRejected = false;
  at.shown.apis = published('test');
  assert.equal(await at.observe(file(minuteMs)), ['required', null]);
});

test('a command that observes once ends with rejected credentials, also for what is new to a known gateway', async () => {
  await using at = await watching({ observesAgain: false });
  await at.store.saveObservation(file(null).gateway, savedObservation([], lastObservation(1)));
  at.shown.apis = unauthorized;
  assert.equal(await at.observe(file(minuteMs)), ['required', 'OBSERVATION_FAILED']);
  const { error } = at.ended[0] ?? {};
  assert.ok(error instanceof EdictError);
  assert.equal([error.exitCode, error.hint], [1, 'renew them']);
});

test('a list that became much shorter is believed when the next one is as short', async () => {
  await using at = await watching();
  const apis = Array.from({ length: 30 }, (_, index) => wanted(`a${index}`, 'test'));
  const desired = desiredState(apis, { refreshIntervalMs: minuteMs });
  await at.store.saveObservation(desired.gateway, savedObservation([], lastObservation(100)));
  await at.observe(desired);
  assert.equal(at.types(), ['gateway:observe_failed']);
  at.time.ms += minuteMs;
  await at.observe(desired);
  assert.is(at.types()[0], 'gateway:observed');
});

test('an observation that hangs is not started again, and an abort ends it', async () => {
  await using at = await watching();
  const { promise, resolve } = Promise.withResolvers<void>();
  at.shown.delay = promise;
  assert.is(await at.detector.start(file(minuteMs), 'reconcile-1'), 'required');
  at.time.ms += 60 * minuteMs;
  assert.is(await at.detector.start(file(minuteMs), 'reconcile-1'), 'required');
  assert.equal([at.shown.reads, at.detector.isRunning], [1, true]);
  const stopped = at.detector.stop();
  resolve();
  await stopped;
  assert.not.ok(at.detector.isRunning);
});

test('no plan is computed from a half-written observation: guards would see a part of its drift', async () => {
  await using at = await watching();
  await at.observe(file(minuteMs));
  at.time.ms += minuteMs;
  const { saveObservation } = at.store;
  const { promise, resolve } = Promise.withResolvers<void>();
  let isSaving = false;
  at.store.saveObservation = async (...args) => {
    isSaving = true;
    await promise;
    return saveObservation.apply(at.store, args);
  };
  assert.is(await at.detector.start(file(minuteMs), 'reconcile-1'), 'running');
  await until('it is being written', () => isSaving);
  assert.is(await at.detector.start(file(minuteMs), 'reconcile-1'), 'required');
  resolve();
  await until('it is written', () => !at.detector.isRunning);
  assert.is(await at.detector.start(file(minuteMs), 'reconcile-1'), 'none');
});

test('an observation during which the lease is lost ends without an error', async () => {
  await using at = await watching();
  at.store.saveObservation = () => Promise.reject(new LeaseHeldError('another process holds it'));
  assert.equal(await at.observe(file(minuteMs)), ['required', null]);
  assert.equal(at.types(), []);
});

test('an observation that cannot be recorded is reported as a store error only, and repeated', async () => {
  await using at = await watching();
  const { saveObservation } = at.store;
  at.store.saveObservation = () => Promise.reject(new StoreError('STORE_FULL', 'the disk is full'));
  assert.equal(await at.observe(file(minuteMs)), ['required', 'STORE_FULL']);
  assert.equal([at.types(), await at.states()], [['store:error'], []]);
  at.store.saveObservation = saveObservation;
  at.time.ms += 1000;
  await at.observe(file(minuteMs));
  assert.equal(await at.states(), ['online']);
});

test.run();
