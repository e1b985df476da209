import type { Plan } from '../core/plan.ts';
import type { PublicationKey } from '../core/publication.ts';

export interface OnwardDeps {
  /** Makes a new plan of file and record; resolves to whether it could. Never rejects. */
  readonly replan: () => Promise<boolean>;
  /** Called when a new plan has been made and no other is wanted. */
  readonly onPlanned: () => void;
  /** How often a plan is tried in a row. */
  readonly maxTries: number;
}

/** How many milliseconds more may be done before it is planned again, at least. */
const restMs = 50;

/** A plan of many publications takes its time: not more than this part of all time is spent with it. */
const share = 1 / 5;

/** After a plan that could not be made, in milliseconds. */
const afterFailureMs = 1000;

/**
 * Sees to it that a new plan is made soon after something was done that other changes wait for, so that each API goes its own way
 * through the order, and all of them without a plan for every call.
 */
export class Onward {
  readonly #deps: OnwardDeps;
  /** The IDs of the APIs with a change that waits for its turn. */
  #waiting: ReadonlySet<string> = new Set();
  /** Attempts that were looked for in vain: to look again would show the same. */
  readonly #untold = new Set<PublicationKey>();
  #isWanted = false;
  #timer: NodeJS.Timeout | null = null;
  #planning: Promise<void> | null = null;
  #isStopped = false;
  #tookMs = 0;
  #failures = 0;

  constructor(deps: OnwardDeps) {
    this.#deps = deps;
  }

  /** Whether there will be another plan soon. */
  get isPending(): boolean {
    return this.#isWanted || this.#planning !== null;
  }

  /**
   * Learns the newest plan and how long it took, in milliseconds. Returns the changes that wait for their turn and whose
   * earlier attempt may be looked for meanwhile: that is no new step.
   */
  planned({ changes }: Pick<Plan, 'changes'>, tookMs: number, { fresh }: { readonly fresh: boolean }): ReadonlySet<PublicationKey> {
    const inTurn = changes.filter(({ waits }) => waits?.rule === 'order');
    this.#waiting = new Set(inTurn.map(({ apiId }) => apiId));
    this.#tookMs = tookMs;
    if (fresh) this.#untold.clear();
    const resolvable = inTurn.filter(({ key, reason, held }) => reason === 'unresolved' && !held && !this.#untold.has(key));
    return new Set(resolvable.map(({ key }) => key));
  }

  /** Nothing is left to do for a publication. */
  done(key: PublicationKey): void {
    if (this.#waiting.has(key.slice(0, key.indexOf(' ')))) this.request();
  }

  /** Nobody can tell what came of a publication's last attempt, and it may not be repeated before its turn. */
  untold(key: PublicationKey): void {
    this.#untold.add(key);
  }

  /** Asks for a new plan soon. */
  request(): void {
    if (this.#isWanted || this.#isStopped) return;
    this.#isWanted = true;
    this.#begin(Math.max(restMs, this.#tookMs / share));
  }

  /** Nothing else is left to do: what is asked for is done at once. */
  hurry(): void {
    if (this.#isWanted && this.#failures === 0) this.#begin(0);
  }

  /** Plans no more; resolves when no plan is being made. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#isWanted = false;
    if (this.#timer) clearTimeout(this.#timer);
    await this.#planning;
  }

  #begin(afterMs: number): void {
    if (this.#planning !== null) return;
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#planning = this.#plan();
    }, afterMs);
  }

  async #plan(): Promise<void> {
    // What is done from here on may not be in this plan any more.
    this.#isWanted = false;
    const isMade = await this.#deps.replan();
    this.#failures = isMade ? 0 : this.#failures + 1;
    this.#planning = null;
    if (this.#isStopped) return;
    if (!isMade && this.#failures < this.#deps.maxTries) this.#isWanted = true;
    if (this.#isWanted) this.#begin(isMade ? Math.max(restMs, this.#tookMs / share) : afterFailureMs);
    else this.#deps.onPlanned();
  }
}
