import type { Plan } from '../model/change.ts';
import type { ReconcileSummary } from '../model/events.ts';
import { apiIdOf, type PublicationKey } from '../model/publication.ts';
import { countChanges } from '../plan/change-counts.ts';
import { isActionable } from '../plan/diff.ts';
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
export function startRun(plan: Plan, reconcileId: string, startedAtMs: number): Reconciliation {
  return continueRun({ reconcileId, startedAtMs, unchanged: plan.unchanged, held: 0, deferred: 0, online: 0, offline: 0 }, plan);
}

/** Updates `run` with the counts of a newer plan and returns it. */
export function continueRun(run: Reconciliation, plan: Plan): Reconciliation {
  const { held, deferred } = countChanges(plan);
  run.held = held;
  run.deferred = deferred;
  return run;
}

/** Returns the summary of a reconciliation that ends at `nowMs` (monotonic). `failed` and `held` count changes that the plan does not include as such. */
export function summarizeRun(
  run: Reconciliation,
  { failed, held, nowMs }: { failed: number; held: number; nowMs: number },
): ReconcileSummary {
  const { online, offline, unchanged, deferred, startedAtMs } = run;
  return { online, offline, unchanged, held: run.held + held, deferred, failed, durationMs: Math.round(nowMs - startedAtMs) };
}

/** What becomes of the newest plan: the counts of its reconciliation, and which of its keys fail, are held, or have not been made. */
export class PlanProgress {
  #run: Reconciliation | null = null;
  /** Keys whose last attempt by this runner did not succeed. */
  readonly #failing = new Set<PublicationKey>();
  /** Keys with an attempt of unknown outcome that is held for a person. */
  readonly #heldUnknown = new Set<PublicationKey>();
  /** The IDs of the APIs with a change that the rollout defers. */
  #deferredApis: ReadonlySet<string> = new Set();
  /** Keys whose earlier attempt could not be resolved and that the rollout does not allow to be repeated yet: another read would give the same result. */
  readonly #unresolvable = new Set<PublicationKey>();
  /** Keys of the newest plan's changes that were not made since it was computed. */
  readonly #unmade = new Set<PublicationKey>();
  /** Keys for which a plan was computed once more because they needed no call after all. */
  readonly #replannedFor = new Set<PublicationKey>();

  /** The ID of the reconciliation in progress; `null` if there is none. */
  get reconcileId(): string | null {
    return this.#run?.reconcileId ?? null;
  }

  isFailing(key: PublicationKey): boolean {
    return this.#failing.has(key);
  }

  /** Starts a reconciliation with its plan; one in progress with the same ID goes on with the new plan. */
  begin(plan: Plan, reconcileId: string, startedAtMs: number): void {
    this.#run = this.#run?.reconcileId === reconcileId ? continueRun(this.#run, plan) : startRun(plan, reconcileId, startedAtMs);
    this.#unmade.clear();
    for (const change of plan.changes) if (isActionable(change)) this.#unmade.add(change.key);
  }

  /**
   * Returns the keys to reconcile: those of the changes that may be made now, and those deferred by the rollout whose earlier attempt may be
   * resolved meanwhile, because resolving it is no new rollout step. `retriesUnresolvable`: another read may tell more.
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

  /** Records what became of one key. Returns whether changes may be made now that waited for it. */
  record(key: PublicationKey, reconciled: Reconciled, result: Result): boolean {
    if (this.#run && reconciled.kind === 'attempted' && reconciled.isRecorded && reconciled.outcome.kind === 'succeeded') {
      this.#run[reconciled.change.action] += 1;
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
   * Whether the newest plan lists changes that needed no call after all: it was computed while attempts were in flight, and would be shown,
   * and counted, until the next one. Each key leads to one more plan at most, until it is made.
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
    const run = this.#run;
    this.#run = null;
    if (!run) return null;
    const counts = { failed: this.#failing.size + failedProbes, held: this.#heldUnknown.size, nowMs };
    return { reconcileId: run.reconcileId, summary: summarizeRun(run, counts) };
  }
}
