import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { systemClock } from '../../src/app/context.ts';
import { Batcher } from '../../src/controller/queue/batcher.ts';
import { type Reconciled, reconcile } from '../../src/controller/reconciler.ts';
import { UnknownOutcomes } from '../../src/controller/unknown-outcomes.ts';
import type { Change } from '../../src/model/change.ts';
import type { DesiredState } from '../../src/model/desired-state.ts';
import type { EdictEvent } from '../../src/model/events.ts';
import type { Outcome } from '../../src/model/outcome.ts';
import type { RecordedPublication } from '../../src/model/recorded-state.ts';
import { openController } from '../support/controller-fixture.ts';
import { desiredState, gatewaySettings, lastObservation, recorded as recordedAs, savedObservation, wanted } from '../support/states.ts';

const orders = wanted('orders', 'test');
/** A gateway that must not be called. */
async function unreachable(): Promise<Outcome> {
  throw new Error('it was sent');
}

const lost: Outcome = {
  kind: 'unknown',
  failure: { code: 'TIMEOUT', status: null, message: '', hint: null, requestId: null, retryAfterMs: null },
};

function outcomeKind(result: Reconciled): string | null {
  return result.kind === 'attempted' && result.isRecorded ? result.outcome.kind : null;
}

interface ReconcileOptions {
  readonly allowedChange?: (change: Change) => Change | null;
  readonly clock?: { readonly ms: number };
  /** What an observation records after the publication was read and before its attempt begins. */
  readonly observed?: RecordedPublication;
}

/** Reconciles orders against a real store; `send` stands for the gateway. */
async function reconciled(
  desired: () => DesiredState,
  send: (canSend: () => boolean) => Promise<Outcome>,
  { allowedChange = (change) => change, clock = { ms: 5 }, observed }: ReconcileOptions = {},
) {
  const { key } = orders;
  const fixture = await openController({ apis: ['orders'] });
  const events: EdictEvent[] = [];
  const settings = desired().gateway;
  await fixture.store.acquire(settings, 0);
  const { signal } = new AbortController();
  const { store } = fixture;
  const begin = store.beginAttempt.bind(store);
  store.beginAttempt = async (...attempt) => {
    if (observed) await store.saveObservation(settings, savedObservation([observed], lastObservation(1)));
    return begin(...attempt);
  };
  let answers = 0;
  const onAnswered = (): void => {
    answers += 1;
  };
  const result = await reconcile(
    { key, reconcileId: 'reconcile-1', onAnswered },
    {
      store,
      gateway: { listVersions: async () => ({ kind: 'read', value: [] }) },
      batcher: new Batcher({
        gateway: {
          send: (_, { isStillDesired, canSend }) => (isStillDesired() ? send(canSend) : Promise.resolve({ kind: 'superseded' })),
          sendBatch: async () => ({ outcomes: [], isSameFailure: false }),
        },
        settings,
        clock: systemClock,
        signal,
      }),
      settings,
      unknownOutcomes: new UnknownOutcomes({ timeoutMs: 0, propagationDelayMs: 0 }, systemClock),
      now: () => clock.ms,
      emit: (event) => events.push(event),
      desired,
      allowedChange,
      signal,
      retryWrite: async (write) => {
        await write();
        return true;
      },
    },
  );
  const [attempt] = await fixture.store.history(settings, { limit: 1 });
  const recorded = await fixture.store.readPublication(settings, key);
  await fixture[Symbol.asyncDispose]();
  return { result, events: events.map(({ type }) => type), attempt, recorded, answers };
}

test('makes the call, records it and emits its events', async () => {
  const { result, events, attempt, recorded, answers } = await reconciled(
    () => desiredState([orders]),
    async () => ({ kind: 'succeeded', versionId: 'v1', publishId: 'p1' }),
  );
  assert.equal([outcomeKind(result), answers], ['succeeded', 1]);
  assert.equal(events, ['attempt:started', 'attempt:finished']);
  assert.equal([attempt?.outcome, attempt?.versionId, attempt?.reconcileId, attempt?.reason], ['succeeded', 'v1', 'reconcile-1', 'new']);
  assert.equal([recorded?.state, recorded?.versionId, recorded?.unknownAttempt], ['online', 'v1', null]);
});

test('does nothing for a publication that is in sync or held', async () => {
  const offline = desiredState([{ ...orders, state: 'offline' }]);
  assert.is((await reconciled(() => offline, unreachable)).result.kind, 'inSync');
  assert.is((await reconciled(() => desiredState([]), unreachable)).result.kind, 'inSync');
});

test('does nothing that the newest plan does not allow exactly', async () => {
  const desired = () => desiredState([{ ...orders, revision: '2' }]);
  for (const permitted of [
    () => null,
    (change: Change) => ({ ...change, revision: '1' }),
    (change: Change) => ({ ...change, version: 'v' }),
  ]) {
    assert.is((await reconciled(desired, unreachable, { allowedChange: permitted })).result.kind, 'notAllowed');
  }
});

test('a lost response leaves the outcome of the attempt unknown', async () => {
  const { attempt, recorded } = await reconciled(
    () => desiredState([orders]),
    async () => lost,
  );
  assert.equal([attempt?.outcome, attempt?.code], ['unknown', 'TIMEOUT']);
  assert.equal([recorded?.state, recorded?.unknownAttempt?.attemptId], [null, attempt?.id]);
});

test('a recorded attempt that the file no longer asks for is not sent', async () => {
  const before = desiredState([orders]);
  let asked = 0;
  const desired = (): DesiredState => {
    asked += 1;
    return asked <= 2 ? before : desiredState([]);
  };
  const { result, attempt, recorded } = await reconciled(desired, unreachable);
  assert.equal([outcomeKind(result), attempt?.outcome, recorded], ['superseded', 'superseded', undefined]);
});

test('a new file that asks for the same change does not cancel it', async () => {
  const desired = (): DesiredState => desiredState([orders]);
  const { result } = await reconciled(desired, async () => ({ kind: 'succeeded', versionId: null, publishId: null }));
  assert.is(outcomeKind(result), 'succeeded');
});

for (const [limit, lastMs] of [
  [{ calls: 1, perMs: 100, concurrency: 1 }, 500],
  [{ calls: 10, perMs: 100, concurrency: 10 }, 500],
  [{ calls: 2, perMs: 100, concurrency: 5 }, 1300],
] as const) {
  const shape = `${limit.calls} calls per window, ${limit.concurrency} at once`;
  test(`a request may be sent until all requests before it have timed out and left their windows, and not later: ${shape}`, async () => {
    const clock = { ms: 5 };
    const allowed: boolean[] = [];
    const send = async (canSend: () => boolean): Promise<Outcome> => {
      for (const ms of [5, 5 + lastMs, 5 + lastMs + 1]) {
        clock.ms = ms;
        allowed.push(canSend());
      }
      clock.ms = 6;
      return lost;
    };
    const desired = desiredState([orders], { gateway: gatewaySettings({ timeoutMs: 300, limit }) });
    const { recorded } = await reconciled(() => desired, send, { clock });
    assert.equal(allowed, [true, true, false]);
    assert.equal([recorded?.unknownAttempt?.startedAtMs, recorded?.unknownAttempt?.sendByMs], [5, 6]);
  });
}

const wasOffline = recordedAs('orders', 'test', { state: 'offline', versionId: null, recordedAtMs: 3 });

test('an attempt whose publication an observation has changed keeps what was observed if it fails', async () => {
  const rejected: Outcome = { ...lost, kind: 'rejected' };
  const { recorded } = await reconciled(
    () => desiredState([orders]),
    async () => rejected,
    { observed: wasOffline },
  );
  assert.equal(recorded, wasOffline);
});

test('what an observation has found to be done already is not sent', async () => {
  const observed = recordedAs('orders', 'test', { revision: orders.revision, recordedAtMs: 3 });
  const { result, recorded } = await reconciled(() => desiredState([orders]), unreachable, { observed });
  assert.equal([outcomeKind(result), recorded], ['superseded', observed]);
});

test.run();
