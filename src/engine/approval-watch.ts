import type { Approval } from '../core/guards.ts';
import type { Clock, RecordReader } from '../core/ports.ts';
import type { GatewayIdentity } from '../core/publication.ts';

/** How often it is looked for an approval while something is held, in milliseconds. */
const lookEveryMs = 1000;

export interface ApprovalWatchDeps {
  readonly store: Pick<RecordReader, 'approvals'>;
  readonly clock: Pick<Clock, 'sleep'>;
  readonly gateway: GatewayIdentity;
  readonly signal: AbortSignal;
  /** Called for each look that finds a new approval; a store that cannot be read shows none. */
  readonly onApproval: () => void;
}

/** Waits for a person's agreement, which another process writes into the store, for as long as something is held. */
export class ApprovalWatch {
  readonly #deps: ApprovalWatchDeps;
  #isHeld = false;
  #known = 0;
  #isWatching = false;

  constructor(deps: ApprovalWatchDeps) {
    this.#deps = deps;
  }

  /** Watches from now on if something is held, and no more if nothing is. `known` are the approvals that the plan has seen. */
  update(isHeld: boolean, known: readonly Approval[]): void {
    this.#isHeld = isHeld;
    this.#known = Math.max(this.#known, ...known.map(({ id }) => id));
    if (isHeld && !this.#isWatching) void this.#watch();
  }

  async #watch(): Promise<void> {
    const { clock, signal, onApproval } = this.#deps;
    this.#isWatching = true;
    while (this.#isHeld && !signal.aborted) {
      await clock.sleep(lookEveryMs, signal);
      const newest = await this.#newest();
      if (newest <= this.#known || signal.aborted) continue;
      this.#known = newest;
      onApproval();
    }
    this.#isWatching = false;
  }

  async #newest(): Promise<number> {
    const { store, gateway } = this.#deps;
    const [newest] = await store.approvals(gateway).catch(() => []);
    return newest?.id ?? 0;
  }
}
