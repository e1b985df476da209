import type { Change } from '../model/change.ts';
import type { EdictEvent } from '../model/events.ts';
import { applyOutcome, type Failure, type FailureKind, type Outcome } from '../model/outcome.ts';
import type { Gateway, Store } from '../model/ports.ts';
import type { DesiredState, GatewaySettings, PublicationKey, RecordedPublication, UnknownAttempt } from '../model/publication.ts';
import { resolveAttempt } from '../plan/attempt-resolution.ts';
import { diffPublication } from '../plan/diff.ts';
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
  /** The newest valid desired state. */
  readonly desired: () => DesiredState;
  /** Returns what the newest plan allows for the publication of `change`, recorded like this now; `null` if nothing. */
  readonly allowedChange: (change: Change, recorded: RecordedPublication | undefined) => Change | null;
  /** Ends the waiting for a turn, and reads under way. */
  readonly signal: AbortSignal;
  /** Called when the request has been answered, before the outcome is on the disk: the next one may leave. */
  readonly onAnswered: () => void;
  /** Runs a write of the record until it succeeds or there is no hope; resolves to whether it did. */
  readonly retryWrite: (write: () => Promise<void>) => Promise<boolean>;
}

/** What reconciling one publication came to. */
export type Reconciled =
  /** It needs no call, or the newest plan does not allow it. */
  | { readonly kind: 'in sync' }
  /** A call was made. `isRecorded`: the outcome is in the store; if not, the attempt is unresolved there. */
  | { readonly kind: 'attempted'; readonly change: Change; readonly outcome: Outcome; readonly isRecorded: boolean }
  /** An earlier attempt has no known outcome, and it is too early to believe that it did not happen. */
  | { readonly kind: 'early'; readonly change: Change; readonly afterMs: number }
  /** An earlier attempt has no known outcome, and the gateway could not be asked now. */
  | { readonly kind: 'unread'; readonly change: Change; readonly failing: FailureKind; readonly failure: Failure }
  /** An earlier attempt has no known outcome, the gateway cannot tell, and to repeat it is not its turn. */
  | { readonly kind: 'waits' }
  /** An earlier attempt has no known outcome, the gateway cannot tell, and the file says `unresolved: hold`. */
  | { readonly kind: 'held'; readonly change: Change };

/**
 * Makes the one call that a publication needs, if it needs one. Both states are read again here, at the moment of acting:
 * what woke the work carries no data. The attempt is durable before its request leaves and its outcome before this resolves.
 * Where an earlier attempt has no known outcome, nothing is sent before the gateway's list has told what came of it; that is
 * asked also where the newest plan allows no call yet.
 *
 * @throws EdictError `STORE_*` if the attempt cannot be recorded; nothing was sent then
 */
export async function reconcile(key: PublicationKey, passId: string, deps: ReconcilerDeps): Promise<Reconciled> {
  const { store, settings, desired, allowedChange } = deps;
  let recorded = await store.readPublication(settings, key);
  for (let mayResolve = true; ; mayResolve = false) {
    const wanted = desired();
    const needed = diffPublication(wanted.publications.get(key), recorded, wanted);
    const change = matchAllowed(needed, recorded, allowedChange);
    if (!needed) return { kind: 'in sync' };
    if (!recorded?.unknownAttempt || !mayResolve) {
      if (change) return makeAttempt(change, recorded, wanted, passId, deps);
      return { kind: recorded?.unknownAttempt ? 'waits' : 'in sync' };
    }
    const resolved = await resolveUnknown(recorded, recorded.unknownAttempt, needed, passId, deps);
    if (resolved !== 'known' && resolved !== 'repeat') return resolved;
    recorded = await store.readPublication(settings, key);
  }
}

async function makeAttempt(
  change: Change,
  recorded: RecordedPublication | undefined,
  wanted: DesiredState,
  reconcileId: string,
  { store, batcher, settings, unknownOutcomes, now, emit, desired, allowedChange, signal, onAnswered, retryWrite }: ReconcilerDeps,
): Promise<Reconciled> {
  const { key } = change;
  const startedAtMs = now();
  const place = batcher.reserve(change);
  const { marker } = place;
  const id = await store
    .beginAttempt(settings, change, { reconcileId, marker, commitId: wanted.commitId, startedAtMs })
    .catch((error: unknown) => {
      place.cancel();
      throw error;
    });
  emit({ type: 'attempt:started', reconcileId, attemptId: id, change });
  const isWanted = (): boolean => {
    if (signal.aborted) return false;
    const newest = desired();
    if (newest === wanted) return matchAllowed(change, recorded, allowedChange) !== null;
    return isSameChange(change, matchAllowed(diffPublication(newest.publications.get(key), recorded, newest), recorded, allowedChange));
  };
  const outcome = await place.send(isWanted);
  onAnswered();

  const finishedAtMs = now();
  if (outcome.kind === 'unknown') unknownOutcomes.remainingMs({ attemptId: id, endedAtMs: null });
  const next = applyOutcome(change, outcome, recorded, { id, marker, finishedAtMs });
  const isRecorded = await retryWrite(() => store.finishAttempt(settings, key, id, outcome, next, finishedAtMs));
  emit({ type: 'attempt:finished', reconcileId, attemptId: id, change, outcome, durationMs: finishedAtMs - startedAtMs });
  return { kind: 'attempted', change, outcome, isRecorded };
}

/**
 * Asks the gateway what came of an attempt: `known` if the record says so now, `repeat` if nobody can tell and a repetition
 * does no harm or is what the file asks for.
 */
async function resolveUnknown(
  recorded: RecordedPublication,
  unresolved: UnknownAttempt,
  change: Change,
  reconcileId: string,
  { store, gateway, settings, unknownOutcomes, now, emit, signal, retryWrite }: ReconcilerDeps,
): Promise<Reconciled | 'known' | 'repeat'> {
  const { attemptId, action } = unresolved;
  const cannotTell = (reason: string): Reconciled | 'repeat' => {
    const isRetried = action === 'offline' || unresolved.version !== null || settings.unknownOutcome === 'repeat';
    emit({ type: 'attempt:unknown', reconcileId, attemptId, change, reason, isRetried });
    return isRetried ? 'repeat' : { kind: 'held', change };
  };
  const earlyMs = unknownOutcomes.remainingMs(unresolved);
  const read = await gateway.listVersions(recorded, signal);
  if (read.kind !== 'read') {
    if (read.kind !== 'stalled') return { kind: 'unread', change, failing: read.kind, failure: read.failure };
    return cannotTell(`${read.failure.code} ${read.failure.message}`);
  }
  const settledAtMs = now();
  const resolution = resolveAttempt(recorded, unresolved, read.value, settledAtMs);
  if (resolution.kind === 'untold') return cannotTell('its remark carried no marker');
  if (resolution.kind === 'absent' && earlyMs > 0) return { kind: 'early', change, afterMs: earlyMs };
  const outcome: Outcome =
    resolution.kind === 'absent' ? { kind: 'absent' } : { kind: 'succeeded', versionId: resolution.versionId, publishId: null };
  if (!(await retryWrite(() => store.finishAttempt(settings, recorded.key, attemptId, outcome, resolution.nextRecorded, settledAtMs)))) {
    return { kind: 'early', change, afterMs: settings.propagationDelayMs };
  }
  unknownOutcomes.forget(attemptId);
  emit({ type: 'attempt:recovered', reconcileId, attemptId, change, outcome });
  return 'known';
}

/** Returns why another try is needed, for a person. */
export function retryReason(reconciled: Reconciled): string {
  if (reconciled.kind === 'early') return 'an attempt has no known outcome, and the gateway may not show it yet';
  if (reconciled.kind === 'unread') return `${reconciled.failure.code} ${reconciled.failure.message}`;
  const failure = reconciled.kind === 'attempted' && 'failure' in reconciled.outcome ? reconciled.outcome.failure : null;
  return failure ? `${failure.code} ${failure.message}` : '';
}

/**
 * Returns `change` if the newest plan allows just this work, with the agreement that it rests on. The plan looks at all publications
 * together and at what a person has agreed to, which one publication by itself cannot tell.
 */
function matchAllowed(
  change: Change | null,
  recorded: RecordedPublication | undefined,
  permitted: ReconcilerDeps['allowedChange'],
): Change | null {
  const plan = change && permitted(change, recorded);
  return plan && isSameChange(change, plan) ? { ...change, held: null, approval: plan.approval } : null;
}

function isSameChange(change: Change, other: Change | null): boolean {
  return other !== null && other.action === change.action && other.revision === change.revision && other.version === change.version;
}
