import type { Plan } from '../../model/change.ts';
import type { PublicationKey } from '../../model/publication.ts';

export interface RolloutTriggerDeps {
  /** Computes a new plan from desired and recorded state; resolves to whether it succeeded. Never rejects. */
  readonly replan: () => Promise<boolean>;
  /** Called when a new plan has been computed and no other is requested. */
  readonly onPlanned: () => void;
  /** Consecutive tries of one plan. */
  readonly maxTries: number;
}

/** The shortest delay before a new plan, in milliseconds, so that one plan covers several finished changes. */
const minDelayMs = 50;

/** The largest share of time spent on planning: a plan of many publications is slow. */
const maxPlanningShare = 1 / 5;

/** Delay after a failed plan, in milliseconds. */
const failureDelayMs = 1000;

/**
 * Requests a new plan soon after a change is done that others are deferred for, so that each API moves through the rollout
 * independently and a plan is not computed for every call.
 */
export class RolloutTrigger {
  readonly #deps: RolloutTriggerDeps;
  /** The IDs of the APIs with a change deferred by the rollout. */
  #deferredApis: ReadonlySet<string> = new Set();
  /** Publications whose last attempt could not be resolved: another read would give the same result. */
  readonly #unknown = new Set<PublicationKey>();
  #isRequested = false;
  #timer: NodeJS.Timeout | null = null;
  #planning: Promise<void> | null = null;
  #isStopped = false;
  #planDurationMs = 0;
  #failures = 0;

  constructor(deps: RolloutTriggerDeps) {
    this.#deps = deps;
  }

  /** Whether a new plan is requested or in progress. */
  get isPending(): boolean {
    return this.#isRequested || this.#planning !== null;
  }

  /**
   * Sets the newest plan and the time it took, in milliseconds. Returns the keys deferred by the rollout whose earlier attempt
   * may be resolved meanwhile, because resolving it is no new rollout step.
   */
  setPlan({ changes }: Pick<Plan, 'changes'>, durationMs: number, { fresh }: { readonly fresh: boolean }): ReadonlySet<PublicationKey> {
    const deferredByRollout = changes.filter(({ deferred }) => deferred?.rule === 'rollout');
    this.#deferredApis = new Set(deferredByRollout.map(({ apiId }) => apiId));
    this.#planDurationMs = durationMs;
    if (fresh) this.#unknown.clear();
    const resolvable = deferredByRollout.filter(({ key, reason, held }) => reason === 'unknown' && !held && !this.#unknown.has(key));
    return new Set(resolvable.map(({ key }) => key));
  }

  /** Marks a publication as done. */
  markDone(key: PublicationKey): void {
    if (this.#deferredApis.has(key.slice(0, key.indexOf(' ')))) this.trigger();
  }

  /** Marks a publication whose last attempt could not be resolved and that the rollout does not allow to be repeated yet. */
  markUnknown(key: PublicationKey): void {
    this.#unknown.add(key);
  }

  /** Requests a new plan soon. */
  trigger(): void {
    if (this.#isRequested || this.#isStopped) return;
    this.#isRequested = true;
    this.#schedule(Math.max(minDelayMs, this.#planDurationMs / maxPlanningShare));
  }

  /** Runs a requested plan immediately, because no other work is left. */
  runNow(): void {
    if (this.#isRequested && this.#failures === 0) this.#schedule(0);
  }

  /** Stops planning; resolves when no plan is in progress. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#isRequested = false;
    if (this.#timer) clearTimeout(this.#timer);
    await this.#planning;
  }

  #schedule(afterMs: number): void {
    if (this.#planning !== null) return;
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#planning = this.#replan();
    }, afterMs);
  }

  async #replan(): Promise<void> {
    // Changes finished from here on may be missing from this plan, so they must request another one.
    this.#isRequested = false;
    const isPlanned = await this.#deps.replan();
    this.#failures = isPlanned ? 0 : this.#failures + 1;
    this.#planning = null;
    if (this.#isStopped) return;
    if (!isPlanned && this.#failures < this.#deps.maxTries) this.#isRequested = true;
    if (this.#isRequested) this.#schedule(isPlanned ? Math.max(minDelayMs, this.#planDurationMs / maxPlanningShare) : failureDelayMs);
    else this.#deps.onPlanned();
  }
}
