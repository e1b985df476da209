import type { Plan } from '../../model/change.ts';
import type { PublicationKey } from '../../model/publication.ts';

export interface RolloutTriggerDeps {
  /** Makes a new plan of file and record; resolves to whether it could. Never rejects. */
  readonly replan: () => Promise<boolean>;
  /** Called when a new plan has been made and no other is wanted. */
  readonly onPlanned: () => void;
  /** How often a plan is tried in a row. */
  readonly maxTries: number;
}

/** How many milliseconds more may be done before it is planned again, at least. */
const minDelayMs = 50;

/** A plan of many publications takes its time: not more than this part of all time is spent with it. */
const maxPlanningShare = 1 / 5;

/** After a plan that could not be made, in milliseconds. */
const failureDelayMs = 1000;

/**
 * Sees to it that a new plan is made soon after something was done that other changes wait for, so that each API goes its own way
 * through the order, and all of them without a plan for every call.
 */
export class RolloutTrigger {
  readonly #deps: RolloutTriggerDeps;
  /** The IDs of the APIs with a change that waits for its turn. */
  #deferredApis: ReadonlySet<string> = new Set();
  /** Attempts that were looked for in vain: to look again would show the same. */
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

  /** Whether there will be another plan soon. */
  get isPending(): boolean {
    return this.#isRequested || this.#planning !== null;
  }

  /**
   * Learns the newest plan and how long it took, in milliseconds. Returns the changes that wait for their turn and whose
   * earlier attempt may be looked for meanwhile: that is no new step.
   */
  setPlan({ changes }: Pick<Plan, 'changes'>, tookMs: number, { fresh }: { readonly fresh: boolean }): ReadonlySet<PublicationKey> {
    const inTurn = changes.filter(({ deferred }) => deferred?.rule === 'order');
    this.#deferredApis = new Set(inTurn.map(({ apiId }) => apiId));
    this.#planDurationMs = tookMs;
    if (fresh) this.#unknown.clear();
    const resolvable = inTurn.filter(({ key, reason, held }) => reason === 'unresolved' && !held && !this.#unknown.has(key));
    return new Set(resolvable.map(({ key }) => key));
  }

  /** Nothing is left to do for a publication. */
  markDone(key: PublicationKey): void {
    if (this.#deferredApis.has(key.slice(0, key.indexOf(' ')))) this.trigger();
  }

  /** Nobody can tell what came of a publication's last attempt, and it may not be repeated before its turn. */
  markUnknown(key: PublicationKey): void {
    this.#unknown.add(key);
  }

  /** Asks for a new plan soon. */
  trigger(): void {
    if (this.#isRequested || this.#isStopped) return;
    this.#isRequested = true;
    this.#schedule(Math.max(minDelayMs, this.#planDurationMs / maxPlanningShare));
  }

  /** Nothing else is left to do: what is asked for is done at once. */
  runNow(): void {
    if (this.#isRequested && this.#failures === 0) this.#schedule(0);
  }

  /** Plans no more; resolves when no plan is being made. */
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
    // What is done from here on may not be in this plan any more.
    this.#isRequested = false;
    const isMade = await this.#deps.replan();
    this.#failures = isMade ? 0 : this.#failures + 1;
    this.#planning = null;
    if (this.#isStopped) return;
    if (!isMade && this.#failures < this.#deps.maxTries) this.#isRequested = true;
    if (this.#isRequested) this.#schedule(isMade ? Math.max(minDelayMs, this.#planDurationMs / maxPlanningShare) : failureDelayMs);
    else this.#deps.onPlanned();
  }
}
