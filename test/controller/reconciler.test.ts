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
import type { PublicationKey } from '../../src/model/publication.ts';
import { openController } from '../support/controller-fixture.ts';
import { desiredState, gatewaySettings, wanted } from '../support/states.ts';

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

/** Reconciles orders against a real store; `send` stands for the gateway. */
async function reconciled(
  desired: () => DesiredState,
  send: (canSend: () => boolean) => Promise<Outcome>,
  key: PublicationKey = orders.key,
  allowedChange: (change: Change) => Change | null = (change) => change,
  clock = { ms: 5 },
) {
  const fixture = await openController({ apis: ['orders'] });
  const events: EdictEvent[] = [];
  const settings = desired().gateway;
  await fixture.store.acquire(settings, 0);
  const { signal } = new AbortController();
  let answers = 0;
  const onAnswered = (): void => {
    answers += 1;
  };
  const result = await reconcile(
    { key, reconcileId: 'reconcile-1', onAnswered },
    {
      store: fixture.store,
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
    assert.is((await reconciled(desired, unreachable, orders.key, permitted)).result.kind, 'notAllowed');
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

test('a request may be sent for its time limit and two windows of the limit after the attempt is recorded, and not later', async () => {
  const clock = { ms: 5 };
  const settings = gatewaySettings({ timeoutMs: 300, limit: { calls: 1, perMs: 100, concurrency: 1 } });
  const allowed: boolean[] = [];
  const send = async (canSend: () => boolean): Promise<Outcome> => {
    for (const ms of [5, 505, 506]) {
      clock.ms = ms;
      allowed.push(canSend());
    }
    clock.ms = 6;
    return lost;
  };
  const desired = desiredState([orders], { gateway: settings });
  const { recorded } = await reconciled(
    () => desired,
    send,
    orders.key,
    (change) => change,
    clock,
  );
  assert.equal(allowed, [true, true, false]);
  assert.equal([recorded?.unknownAttempt?.startedAtMs, recorded?.unknownAttempt?.sendByMs], [5, 6]);
});

test.run();
