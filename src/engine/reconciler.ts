import type { EngineEvent } from '../core/events.ts';
import { nextRecord, type Outcome } from '../core/outcome.ts';
import { type Change, decide } from '../core/plan.ts';
import type { Gateway, Store } from '../core/ports.ts';
import type { DesiredState, GatewayIdentity, PublicationKey } from '../core/publication.ts';

export interface ReconcilerDeps {
  readonly store: Store;
  readonly gateway: Gateway;
  readonly identity: GatewayIdentity;
  readonly now: () => number;
  readonly emit: (event: EngineEvent) => void;
  /** The newest valid desired state. */
  readonly desired: () => DesiredState;
  readonly signal: AbortSignal;
  /** Called when the request has been answered, before the outcome is on the disk: the next one may leave. */
  readonly answered: () => void;
  /** Runs a write of the record until it succeeds or there is no hope; resolves to whether it did. */
  readonly persist: (write: () => Promise<void>) => Promise<boolean>;
}

/** What reconciling one publication came to; `null` if it needed no call. */
export type Reconciled = {
  readonly change: Change;
  readonly outcome: Outcome;
  /** Whether the outcome is in the store; if not, the attempt is unresolved there, whatever its outcome was. */
  readonly isRecorded: boolean;
} | null;

/**
 * Makes the one call that a publication needs, if it needs one. Both states are read again here, at the moment of acting:
 * what woke the work carries no data. The attempt is durable before its request leaves and its outcome before this resolves.
 *
 * @throws EdictError `STORE_*` if the attempt cannot be recorded; nothing was sent then
 */
export async function reconcile(key: PublicationKey, passId: string, deps: ReconcilerDeps): Promise<Reconciled> {
  const { store, gateway, identity, now, emit, desired, signal, answered, persist } = deps;
  const recorded = await store.read(identity, key);
  const wanted = desired();
  const change = decide(wanted.publications.get(key), recorded, wanted);
  if (!change || change.held) return null;

  const beganAtMs = now();
  const attemptId = await store.begin(identity, change, passId, beganAtMs);
  emit({ type: 'attempt:begun', passId, attemptId, change });
  const isStillWanted = desired() === wanted || isSame(change, decide(desired().publications.get(key), recorded, desired()));
  const outcome: Outcome = isStillWanted ? await gateway.send(change, signal) : { kind: 'dropped' };

  answered();

  const settledAtMs = now();
  const next = nextRecord(change, outcome, recorded, { id: attemptId, settledAtMs });
  const isRecorded = await persist(() => store.settle(identity, key, attemptId, outcome, next, settledAtMs));
  emit({ type: 'attempt:settled', passId, attemptId, change, outcome, tookMs: settledAtMs - beganAtMs });
  return { change, outcome, isRecorded };
}

function isSame(change: Change, other: Change | null): boolean {
  return other !== null && !other.held && other.action === change.action && other.revision === change.revision;
}
