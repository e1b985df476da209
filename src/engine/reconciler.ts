import type { EngineEvent } from '../core/events.ts';
import { type Failing, type Failure, nextRecord, type Outcome } from '../core/outcome.ts';
import { type Change, decide } from '../core/plan.ts';
import type { Gateway, Store } from '../core/ports.ts';
import type { DesiredState, GatewaySettings, PublicationKey, RecordedPublication, UnresolvedAttempt } from '../core/publication.ts';
import { resolveAttempt } from '../core/resolve.ts';
import type { Departures } from './departures.ts';
import type { Doubts } from './doubts.ts';

export interface ReconcilerDeps {
  readonly store: Store;
  readonly gateway: Pick<Gateway, 'versions'>;
  readonly departures: Departures;
  readonly settings: GatewaySettings;
  readonly doubts: Doubts;
  readonly now: () => number;
  readonly emit: (event: EngineEvent) => void;
  /** The newest valid desired state. */
  readonly desired: () => DesiredState;
  /** Returns what the newest plan allows for the publication of `change`, recorded like this now; `null` if nothing. */
  readonly permitted: (change: Change, recorded: RecordedPublication | undefined) => Change | null;
  /** Ends the waiting for a turn, and reads under way. */
  readonly signal: AbortSignal;
  /** Called when the request has been answered, before the outcome is on the disk: the next one may leave. */
  readonly answered: () => void;
  /** Runs a write of the record until it succeeds or there is no hope; resolves to whether it did. */
  readonly persist: (write: () => Promise<void>) => Promise<boolean>;
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
  | { readonly kind: 'unread'; readonly change: Change; readonly failing: Failing; readonly failure: Failure }
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
  const { store, settings, desired, permitted } = deps;
  let recorded = await store.read(settings, key);
  for (let mayResolve = true; ; mayResolve = false) {
    const wanted = desired();
    const needed = decide(wanted.publications.get(key), recorded, wanted);
    const change = allowed(needed, recorded, permitted);
    if (!needed) return { kind: 'in sync' };
    if (!recorded?.unresolved || !mayResolve) {
      if (change) return attempt(change, recorded, wanted, passId, deps);
      return { kind: recorded?.unresolved ? 'waits' : 'in sync' };
    }
    const resolved = await resolve(recorded, recorded.unresolved, needed, passId, deps);
    if (resolved !== 'known' && resolved !== 'repeat') return resolved;
    recorded = await store.read(settings, key);
  }
}

async function attempt(
  change: Change,
  recorded: RecordedPublication | undefined,
  wanted: DesiredState,
  passId: string,
  { store, departures, settings, doubts, now, emit, desired, permitted, signal, answered, persist }: ReconcilerDeps,
): Promise<Reconciled> {
  const { key } = change;
  const beganAtMs = now();
  const place = departures.place(change);
  const { marker } = place;
  const id = await store.begin(settings, change, { passId, marker, commitId: wanted.commitId, atMs: beganAtMs }).catch((error: unknown) => {
    place.leave();
    throw error;
  });
  emit({ type: 'attempt:begun', passId, attemptId: id, change });
  const isWanted = (): boolean => {
    if (signal.aborted) return false;
    const newest = desired();
    if (newest === wanted) return allowed(change, recorded, permitted) !== null;
    return isSame(change, allowed(decide(newest.publications.get(key), recorded, newest), recorded, permitted));
  };
  const outcome = await place.send(isWanted);
  answered();

  const settledAtMs = now();
  if (outcome.kind === 'unknown') doubts.waitMs({ attemptId: id, overAtMs: null });
  const next = nextRecord(change, outcome, recorded, { id, marker, settledAtMs });
  const isRecorded = await persist(() => store.settle(settings, key, id, outcome, next, settledAtMs));
  emit({ type: 'attempt:settled', passId, attemptId: id, change, outcome, tookMs: settledAtMs - beganAtMs });
  return { kind: 'attempted', change, outcome, isRecorded };
}

/**
 * Asks the gateway what came of an attempt: `known` if the record says so now, `repeat` if nobody can tell and a repetition
 * does no harm or is what the file asks for.
 */
async function resolve(
  recorded: RecordedPublication,
  unresolved: UnresolvedAttempt,
  change: Change,
  passId: string,
  { store, gateway, settings, doubts, now, emit, signal, persist }: ReconcilerDeps,
): Promise<Reconciled | 'known' | 'repeat'> {
  const { attemptId, action } = unresolved;
  const cannotTell = (reason: string): Reconciled | 'repeat' => {
    const isRepeated = action === 'offline' || unresolved.version !== null || settings.unresolved === 'repeat';
    emit({ type: 'attempt:untold', passId, attemptId, change, reason, isRepeated });
    return isRepeated ? 'repeat' : { kind: 'held', change };
  };
  const earlyMs = doubts.waitMs(unresolved);
  const read = await gateway.versions(recorded, signal);
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
  if (!(await persist(() => store.settle(settings, recorded.key, attemptId, outcome, resolution.next, settledAtMs)))) {
    return { kind: 'early', change, afterMs: settings.lagMs };
  }
  doubts.settle(attemptId);
  emit({ type: 'attempt:resolved', passId, attemptId, change, outcome });
  return 'known';
}

/** Returns why another try is needed, for a person. */
export function reasonOf(reconciled: Reconciled): string {
  if (reconciled.kind === 'early') return 'an attempt has no known outcome, and the gateway may not show it yet';
  if (reconciled.kind === 'unread') return `${reconciled.failure.code} ${reconciled.failure.message}`;
  const failure = reconciled.kind === 'attempted' && 'failure' in reconciled.outcome ? reconciled.outcome.failure : null;
  return failure ? `${failure.code} ${failure.message}` : '';
}

/**
 * Returns `change` if the newest plan allows just this work, with the agreement that it rests on. The plan looks at all publications
 * together and at what a person has agreed to, which one publication by itself cannot tell.
 */
function allowed(change: Change | null, recorded: RecordedPublication | undefined, permitted: ReconcilerDeps['permitted']): Change | null {
  const plan = change && permitted(change, recorded);
  return plan && isSame(change, plan) ? { ...change, held: null, approval: plan.approval } : null;
}

function isSame(change: Change, other: Change | null): boolean {
  return other !== null && other.action === change.action && other.revision === change.revision && other.version === change.version;
}
