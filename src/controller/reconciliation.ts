import type { Plan } from '../model/change.ts';
import type { ReconcileSummary } from '../model/events.ts';
import { apiIdOf, type PublicationKey } from '../model/publication.ts';
import { isActionable } from '../plan/diff.ts';
import { countAsDeclared, summarizePlan } from '../plan/summary.ts';
import type { Result } from './queue/workqueue.ts';
import type { Reconciled } from './reconciler.ts';

/** The progress of one reconciliation. */
export interface Reconciliation {
  readonly reconcileId: string;
  readonly unchanged: number;
  held: number;
  deferred: number;
  /** On the monotonic clock, in milliseconds. */
  readonly startedAtMs: number;
  online: number;
  offline: number;
}

/** Returns a reconciliation that has just computed its plan. */
export function startReconciliation(plan: Plan, reconcileId: string, startedAtMs: number): Reconciliation {
  return continueReconciliation(
    { reconcileId, startedAtMs, unchanged: countAsDeclared(plan), held: 0, deferred: 0, online: 0, offline: 0 },
    plan,
  );
}

/** Updates `reconciliation` with the counts of a newer plan and returns it. */
export function continueReconciliation(reconciliation: Reconciliation, plan: Plan): Reconciliation {
  const { held, deferred } = summarizePlan(plan);
  reconciliation.held = held;
  reconciliation.deferred = deferred;
  return reconciliation;
}

/** Returns the summary of a reconciliation that ends at `nowMs` (monotonic). `failed` and `held`: changes
 * that failed or were held while they were made, which the plan does not count. */
export function summarizeReconciliation(
  reconciliation: Reconciliation,
  { failed, held, nowMs }: { failed: number; held: number; nowMs: number },
): ReconcileSummary {
  const { online, offline, unchanged, deferred, startedAtMs } = reconciliation;
  return { online, offline, unchanged, held: reconciliation.held + held, deferred, failed, durationMs: Math.round(nowMs - startedAtMs) };
}

/** Tracks the newest plan: the counts of its reconciliation, and the keys that fail, are held, or are still to be changed. */
export class PlanProgress {
  #current: Reconciliation | null = null;
  /** Keys whose last attempt by this runner did not succeed. */
  readonly #failing = new Set<PublicationKey>();
  /** Keys with an attempt of unknown outcome that is held for a person. */
  readonly #heldUnknown = new Set<PublicationKey>();
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

  /** The ID of the reconciliation in progress; `null` if there is none. */
  get reconcileId(): string | null {
    return this.#current?.reconcileId ?? null;
  }

  isFailing(key: PublicationKey): boolean {
    return this.#failing.has(key);
  }

  /** Starts a reconciliation with its plan; one in progress with the same ID goes on with the new plan. */
  begin(plan: Plan, reconcileId: string, startedAtMs: number): void {
    this.#current =
      this.#current?.reconcileId === reconcileId
        ? continueReconciliation(this.#current, plan)
        : startReconciliation(plan, reconcileId, startedAtMs);
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
    for (const keySet of [this.#failing, this.#heldUnknown]) for (const key of keySet) if (!keys.has(key)) keySet.delete(key);
    return keys;
  }

  /** Records the result for one key. Returns whether changes that were deferred for it may now be made. */
  record(key: PublicationKey, reconciled: Reconciled, result: Result): boolean {
    if (this.#current && reconciled.kind === 'attempted' && reconciled.isRecorded && reconciled.outcome.kind === 'succeeded') {
      this.#current[reconciled.change.action] += 1;
      this.#unmade.delete(key);
    }
    if (reconciled.kind === 'deferred') this.#unresolvable.add(key);
    for (const keySet of [this.#failing, this.#heldUnknown]) keySet.delete(key);
    const hasFailed = result.kind === 'again' || result.kind === 'blocked';
    if (hasFailed) (reconciled.kind === 'held' ? this.#heldUnknown : this.#failing).add(key);
    return !hasFailed && this.#deferredApis.has(apiIdOf(key));
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
    const isLeft = (key: PublicationKey): boolean => !this.#failing.has(key) && !this.#heldUnknown.has(key);
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
    const counts = { failed: this.#failing.size + failedProbes, held: this.#heldUnknown.size, nowMs };
    return { reconcileId: current.reconcileId, summary: summarizeReconciliation(current, counts) };
  }
}
