import type { Change } from '../../src/model/change.ts';
import type { GatewayIdentity } from '../../src/model/gateway.ts';
import { applyOutcome } from '../../src/model/outcome.ts';
import type { Store } from '../../src/store/interface.ts';

/**
 * Records an attempt before `call` and its outcome after it, as edict does, and does nothing else. Resolves when the
 * call is over; `outcomeRecorded` resolves when its outcome is recorded too.
 */
export async function recordedAttempt(
  store: Store,
  gateway: GatewayIdentity,
  change: Change,
  call: () => Promise<unknown>,
): Promise<{ readonly outcomeRecorded: Promise<void> }> {
  const { attemptId: id } = await store.beginAttempt(gateway, change, {
    reconcileId: 'bench',
    marker: null,
    commitId: null,
    startedAtMs: 1,
    sendByMs: 1,
  });
  await call();
  const outcome = { kind: 'succeeded', versionId: change.apiId, publishId: null } as const;
  const next = applyOutcome(undefined, { change, outcome, id, marker: null, startedAtMs: 1, finishedAtMs: 2 });
  return { outcomeRecorded: store.finishAttempt(gateway, { key: change.key, attemptId: id, outcome, next, atMs: 2 }) };
}
