import type { Change, Plan } from '../model/change.ts';
import type { ReconcileSummary } from '../model/events.ts';
import { apiIdOf, type PublicationKey } from '../model/publication.ts';
import { isActionable } from '../plan/diff.ts';
import { summarizeProgress } from '../plan/summary.ts';
import type { Result } from './queue/workqueue.ts';
import type { Reconciled } from './reconciler.ts';

/** The reconciliation in progress, and its newest plan. */
interface Reconciliation {
  readonly reconcileId: string;
  /** On the monotonic clock, in milliseconds. */
  readonly startedAtMs: number;
  readonly plan: Plan;
}

/** Tracks the newest plan: the changes that its reconciliation has made, and the keys that fail, are unknown, or are still to be changed. */
export class PlanProgress {
  readonly #isOnce: boolean;
  #current: Reconciliation | null = null;
  readonly #made = new Map<PublicationKey, Change>();
  /** Keys whose last attempt by this runner did not succeed. */
  readonly #failing = new Set<PublicationKey>();
  /** Those of `#failing` with an attempt of unknown outcome, and those that are left for a person because nobody can resolve it. */
  readonly #unknown = new Set<PublicationKey>();
  /** Keys with an attempt of unknown outcome that is left for a person. */
  readonly #leftUnknown = new Set<PublicationKey>();
  /** The IDs of the APIs with a change that the rollout defers. */
  #deferredApis: ReadonlySet<string> = new Set();
  /**
   * Keys with an attempt of unknown outcome that the gateway cannot resolve, and that the rollout does not allow to be repeated yet. Reading
   * again would give the same result.
   */
  readonly #unresolvable = new Set<PublicationKey>();
  /** Keys of the newest plan's changes that have not been made yet. */
  readonly #unmade = new Set<PublicationKey>();
  /** Keys for which a second plan was requested because they needed no call after all. */
  readonly #replannedFor = new Set<PublicationKey>();

  /** `isOnce`: whether the process ends after its calls, so that all its reconciliations count as one. */
  constructor({ isOnce }: { readonly isOnce: boolean }) {
    this.#isOnce = isOnce;
  }

  /** The ID of the reconciliation in progress; `null` if there is none. */
  get reconcileId(): string | null {
    return this.#current?.reconcileId ?? null;
  }

  isFailing(key: PublicationKey): boolean {
    return this.#failing.has(key);
  }

  /** Starts a reconciliation with its plan; one in progress with the same ID goes on with the new plan. */
  begin(plan: Plan, reconcileId: string, startedAtMs: number): void {
    const isContinued = this.#current?.reconcileId === reconcileId;
    if (!isContinued && !this.#isOnce) this.#made.clear();
    this.#current = { reconcileId, plan, startedAtMs: isContinued ? (this.#current?.startedAtMs ?? startedAtMs) : startedAtMs };
    this.#unmade.clear();
    for (const change of plan.changes) if (isActionable(change)) this.#unmade.add(change.key);
  }

  /**
   * Returns the keys to reconcile: those of the changes that may be made now, and those deferred by the rollout with an attempt of unknown
   * outcome, because resolving it is not a rollout step. `retriesUnresolvable`: also try again to resolve those that could not be resolved.
   */
  keysOf({ changes }: Plan, retriesUnresolvable: boolean): ReadonlySet<PublicationKey> {
    const deferredByRollout = changes.filter(({ deferred }) => deferred?.rule === 'rollout');
    this.#deferredApis = new Set(deferredByRollout.map(({ apiId }) => apiId));
    if (retriesUnresolvable) this.#unresolvable.clear();
    const resolvable = deferredByRollout.filter(({ key, reason, held }) => reason === 'unknown' && !held && !this.#unresolvable.has(key));
    const keys = new Set([...changes.filter(isActionable), ...resolvable].map(({ key }) => key));
    for (const keySet of this.#results) for (const key of keySet) if (!keys.has(key)) keySet.delete(key);
    return keys;
  }

  /** Records the result for one key. Returns whether changes that were deferred for it may now be made. */
  record(key: PublicationKey, reconciled: Reconciled, result: Result): boolean {
    if (reconciled.kind === 'attempted' && reconciled.isRecorded && reconciled.outcome.kind === 'succeeded')
      this.recordMade(reconciled.change);
    if (reconciled.kind === 'deferred') this.#unresolvable.add(key);
    for (const keySet of this.#results) keySet.delete(key);
    const hasFailed = result.kind === 'again' || result.kind === 'blocked';
    if (hasFailed) (reconciled.kind === 'held' ? this.#leftUnknown : this.#failing).add(key);
    if (hasFailed && hasUnknownOutcome(reconciled)) this.#unknown.add(key);
    return !hasFailed && this.#deferredApis.has(apiIdOf(key));
  }

  /** Records that a change was made, or turned out to have been made by an earlier attempt. */
  recordMade(change: Change): void {
    this.#made.set(change.key, change);
    this.#unmade.delete(change.key);
  }

  /** The sets that hold a key according to its last result. */
  get #results(): readonly Set<PublicationKey>[] {
    return [this.#failing, this.#unknown, this.#leftUnknown];
  }

  /** Records that the attempt at a key could not be written. */
  recordFailure(key: PublicationKey): void {
    this.#failing.add(key);
  }

  /**
   * Returns whether the newest plan lists changes that needed no call after all, because it was computed while attempts were in flight.
   * Status and metrics would show them until the next plan. Each key leads to one more plan at most until its change is made.
   */
  isPlanOutdated(): boolean {
    const isLeft = (key: PublicationKey): boolean => !this.#failing.has(key) && !this.#leftUnknown.has(key);
    const outdated = [...this.#unmade].filter((key) => isLeft(key) && !this.#replannedFor.has(key));
    this.#replannedFor.clear();
    for (const key of outdated) this.#replannedFor.add(key);
    return outdated.length > 0;
  }

  /** Ends the reconciliation in progress and returns its summary; `null` if there is none. `failedProbes`: their number. */
  end(failedProbes: number, nowMs: number): { readonly reconcileId: string; readonly summary: ReconcileSummary } | null {
    const current = this.#current;
    this.#current = null;
    if (!current) return null;
    const { reconcileId, plan, startedAtMs } = current;
    const counts = summarizeProgress(plan, { made: this.#made, failed: this.#failing, unknown: this.#unknown });
    return { reconcileId, summary: { ...counts, failedProbes, durationMs: Math.round(nowMs - startedAtMs) } };
  }
}

function hasUnknownOutcome(reconciled: Reconciled): boolean {
  if (reconciled.kind === 'attempted') return reconciled.outcome.kind === 'unknown';
  return reconciled.kind === 'held' || reconciled.kind === 'tooEarly' || reconciled.kind === 'unreadable';
}
