import type { Gateway } from '../gateway/interface.ts';
import type { Change } from '../model/change.ts';
import type { DesiredState } from '../model/desired-state.ts';
import type { EdictEvent } from '../model/events.ts';
import type { GatewaySettings } from '../model/gateway.ts';
import { applyOutcome, type Failure, type FailureKind, type Outcome } from '../model/outcome.ts';
import type { PublicationKey } from '../model/publication.ts';
import type { RecordedPublication, UnknownAttempt } from '../model/recorded-state.ts';
import { resolveAttempt } from '../plan/attempt-resolution.ts';
import { diffPublication } from '../plan/diff.ts';
import type { Store } from '../store/interface.ts';
import type { Batcher } from './queue/batcher.ts';
import type { UnknownOutcomes } from './unknown-outcomes.ts';

export interface ReconcilerDeps {
  readonly store: Store;
  readonly gateway: Pick<Gateway, 'listVersions'>;
  readonly batcher: Batcher;
  readonly settings: GatewaySettings;
  readonly unknownOutcomes: UnknownOutcomes;
  readonly now: () => number;
  readonly emit: (event: EdictEvent) => void;
  /** Returns the newest valid desired state. */
  readonly desired: () => DesiredState;
  /** Returns the change that the newest plan allows for the publication of `change` with this recorded state; `null` if none. */
  readonly allowedChange: (change: Change, recorded: RecordedPublication | undefined) => Change | null;
  /** Ends waits for a request slot, and reads in flight. */
  readonly signal: AbortSignal;
  /** Retries a store write until it succeeds or its retries are used up; resolves to whether it succeeded. */
  readonly retryWrite: (write: () => Promise<void>) => Promise<boolean>;
}

/** The result of reconciling one publication. */
export type Reconciled =
  /** It needs no call. */
  | { readonly kind: 'inSync' }
  /** It needs a call that the newest plan does not allow. */
  | { readonly kind: 'notAllowed' }
  /** A call was made. `isRecorded`: the outcome is in the store; otherwise the store has the attempt without an outcome. */
  | { readonly kind: 'attempted'; readonly change: Change; readonly outcome: Outcome; readonly isRecorded: boolean }
  /** Outcome of an earlier attempt unknown, and too early to conclude from its absence that it took no effect. */
  | { readonly kind: 'tooEarly'; readonly change: Change; readonly afterMs: number }
  /** Outcome of an earlier attempt unknown, and the gateway could not be read. */
  | { readonly kind: 'unreadable'; readonly change: Change; readonly failing: FailureKind; readonly failure: Failure }
  /** Outcome of an earlier attempt unknown, the gateway cannot resolve it, and the rollout does not allow a repetition yet. */
  | { readonly kind: 'deferred' }
  /** Outcome of an earlier attempt unknown, the gateway cannot resolve it, and `gateway.unknownOutcome` is `hold`. */
  | { readonly kind: 'held'; readonly change: Change };

/** One key to reconcile. */
export interface ReconcileRequest {
  readonly key: PublicationKey;
  readonly reconcileId: string;
  /** Called when the request has been answered, before the outcome is durable: the next request may be sent. */
  readonly onAnswered: () => void;
}

/**
 * Makes the one call that a publication needs, if it needs one. Desired and recorded state are read again here, because a
 * trigger carries no data. The attempt is durable before its request leaves, and its outcome before this resolves.
 * If the outcome of an earlier attempt is unknown, the gateway's list is read to resolve it before anything is sent, even if the
 * newest plan allows no call yet.
 *
 * @throws EdictError `STORE_*` if the attempt cannot be recorded; nothing was sent then
 */
export async function reconcile(request: ReconcileRequest, deps: ReconcilerDeps): Promise<Reconciled> {
  const { key, reconcileId } = request;
  const { store, settings, desired, allowedChange } = deps;
  let recorded = await store.readPublication(settings, key);
  for (let mayResolve = true; ; mayResolve = false) {
    const desiredState = desired();
    const needed = diffPublication(desiredState.publications.get(key), recorded, desiredState);
    const change = matchAllowed(needed, recorded, allowedChange);
    if (!needed) return { kind: 'inSync' };
    if (!recorded?.unknownAttempt || !mayResolve) {
      if (change) return makeAttempt({ ...request, change, desiredState }, deps);
      return { kind: recorded?.unknownAttempt ? 'deferred' : 'notAllowed' };
    }
    const resolution = await resolveUnknown({ recorded, unknownAttempt: recorded.unknownAttempt, change: needed, reconcileId }, deps);
    if (resolution !== 'known' && resolution !== 'retry') return resolution;
    recorded = await store.readPublication(settings, key);
  }
}

interface AttemptInput extends ReconcileRequest {
  readonly change: Change;
  readonly desiredState: DesiredState;
}

async function makeAttempt(
  { key, change, desiredState, reconcileId, onAnswered }: AttemptInput,
  { store, batcher, settings, unknownOutcomes, now, emit, desired, allowedChange, signal, retryWrite }: ReconcilerDeps,
): Promise<Reconciled> {
  const startedAtMs = now();
  const sendByMs = startedAtMs + longestWaitMs(settings);
  const slot = batcher.reserve(change);
  const { marker } = slot;
  // An observation may have been saved since the publication was read, so both the request and its result start from what the attempt found.
  const { attemptId, recorded } = await store
    .beginAttempt(settings, change, { reconcileId, marker, commitId: desiredState.commitId, startedAtMs, sendByMs })
    .catch((error: unknown) => {
      slot.cancel();
      throw error;
    });
  emit({ type: 'attempt:started', reconcileId, attemptId, change });
  const isStillNeeded = (): boolean => {
    if (signal.aborted) return false;
    const newest = desired();
    return isSameChange(change, matchAllowed(diffPublication(newest.publications.get(key), recorded, newest), recorded, allowedChange));
  };
  // Establishing a connection can take seconds, in which a newer file or a suspension may arrive.
  const outcome = await slot.send(isStillNeeded, () => now() <= sendByMs && isStillNeeded());
  onAnswered();

  const finishedAtMs = now();
  if (outcome.kind === 'unknown') unknownOutcomes.track({ attemptId, startedAtMs, sendByMs: finishedAtMs, endedAtMs: finishedAtMs });
  const next = applyOutcome(recorded, { change, outcome, id: attemptId, marker, startedAtMs, finishedAtMs });
  const isRecorded = await retryWrite(() => store.finishAttempt(settings, { key, attemptId, outcome, next, atMs: finishedAtMs }));
  emit({ type: 'attempt:finished', reconcileId, attemptId, change, outcome, isRecorded, durationMs: finishedAtMs - startedAtMs });
  return { kind: 'attempted', change, outcome, isRecorded };
}

/**
 * Returns how long a request may wait for its slot before it is given up unsent, in milliseconds: until all that may be before it in the queue
 * have timed out and left their windows of the limit. A shorter time would starve it among others that fail.
 */
function longestWaitMs({ limit: { calls, perMs, concurrency }, batchSize, timeoutMs }: GatewaySettings): number {
  return perMs + Math.ceil((concurrency * batchSize) / calls) * (timeoutMs + perMs);
}

interface ResolutionInput {
  readonly recorded: RecordedPublication;
  readonly unknownAttempt: UnknownAttempt;
  readonly change: Change;
  readonly reconcileId: string;
}

/**
 * Reads the gateway to resolve an attempt of unknown outcome: `known` if the outcome is now recorded, `retry` if it cannot be
 * resolved and a repetition is harmless or requested by the file.
 */
async function resolveUnknown(
  { recorded, unknownAttempt, change, reconcileId }: ResolutionInput,
  { store, gateway, settings, unknownOutcomes, now, emit, signal, retryWrite }: ReconcilerDeps,
): Promise<Reconciled | 'known' | 'retry'> {
  const { attemptId, action } = unknownAttempt;
  const unresolvable = (reason: string): Reconciled | 'retry' => {
    const isRetried = action === 'offline' || unknownAttempt.version !== null || settings.unknownOutcome === 'retry';
    emit({ type: 'attempt:unknown', reconcileId, attemptId, change, reason, isRetried });
    return isRetried ? 'retry' : { kind: 'held', change };
  };
  const isProof = unknownOutcomes.remainingMs(unknownAttempt) === 0;
  const read = await gateway.listVersions(recorded, signal);
  if (read.kind !== 'read') {
    if (read.kind !== 'rejected') return { kind: 'unreadable', change, failing: read.kind, failure: read.failure };
    return unresolvable(`${read.failure.code} ${read.failure.message}`);
  }
  unknownOutcomes.answered(unknownAttempt);
  const finishedAtMs = now();
  const resolution = resolveAttempt(recorded, unknownAttempt, { versions: read.value, atMs: finishedAtMs });
  // Waiting tells nothing about an attempt without a marker.
  const isEarly = !isProof && (resolution.kind === 'notApplied' || (resolution.kind === 'unknown' && unknownAttempt.marker !== null));
  if (isEarly) return { kind: 'tooEarly', change, afterMs: unknownOutcomes.remainingMs(unknownAttempt) };
  if (resolution.kind === 'unknown') return unresolvable(resolution.reason);
  const outcome: Outcome =
    resolution.kind === 'notApplied' ? { kind: 'notApplied' } : { kind: 'succeeded', versionId: resolution.versionId, publishId: null };
  if (
    !(await retryWrite(() =>
      store.finishAttempt(settings, { key: recorded.key, attemptId, outcome, next: resolution.nextRecorded, atMs: finishedAtMs }),
    ))
  ) {
    return { kind: 'tooEarly', change, afterMs: settings.propagationDelayMs };
  }
  unknownOutcomes.forget(attemptId);
  emit({ type: 'attempt:recovered', reconcileId, attemptId, change, outcome });
  return 'known';
}

/** Returns the reason for a retry as text for people. */
export function retryReason(reconciled: Reconciled): string {
  if (reconciled.kind === 'tooEarly') return 'an attempt has no known outcome, and the gateway may not show it yet';
  if (reconciled.kind === 'unreadable') return `${reconciled.failure.code} ${reconciled.failure.message}`;
  const failure = reconciled.kind === 'attempted' && 'failure' in reconciled.outcome ? reconciled.outcome.failure : null;
  return failure ? `${failure.code} ${failure.message}` : '';
}

/**
 * Returns `change`, with its approval, if the newest plan allows exactly this change. Policies and approvals cover all
 * publications together, so they cannot be decided for one publication alone.
 */
function matchAllowed(
  change: Change | null,
  recorded: RecordedPublication | undefined,
  allowedChange: ReconcilerDeps['allowedChange'],
): Change | null {
  const planned = change && allowedChange(change, recorded);
  return planned && isSameChange(change, planned) ? { ...change, held: null, approval: planned.approval } : null;
}

function isSameChange(change: Change, other: Change | null): boolean {
  return other !== null && other.action === change.action && other.revision === change.revision && other.version === change.version;
}
