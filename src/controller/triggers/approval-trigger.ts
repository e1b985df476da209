import type { Approval } from '../../model/approval.ts';
import type { Clock } from '../../model/clock.ts';
import type { GatewayIdentity } from '../../model/gateway.ts';
import type { StoreReader } from '../../store/interface.ts';

/** Polling interval while a change is held, in milliseconds. */
const pollIntervalMs = 1000;

export interface ApprovalTriggerDeps {
  readonly store: Pick<StoreReader, 'approvals'>;
  readonly clock: Pick<Clock, 'sleep'>;
  readonly gateway: GatewayIdentity;
  readonly signal: AbortSignal;
  /** Called when a poll finds a new approval; a store error counts as none. */
  readonly onApproval: () => void;
}

/** Polls the store for approvals, which another process writes, while a change is held. */
export class ApprovalTrigger {
  readonly #deps: ApprovalTriggerDeps;
  #hasHeldChanges = false;
  #lastSeenId = 0;
  #isPolling = false;

  constructor(deps: ApprovalTriggerDeps) {
    this.#deps = deps;
  }

  /** Starts polling if a change is held, and stops it otherwise. `known`: the approvals that the plan included. */
  update(isHeld: boolean, known: readonly Approval[]): void {
    this.#hasHeldChanges = isHeld;
    this.#lastSeenId = Math.max(this.#lastSeenId, ...known.map(({ id }) => id));
    if (isHeld && !this.#isPolling) void this.#poll();
  }

  async #poll(): Promise<void> {
    const { clock, signal, onApproval } = this.#deps;
    this.#isPolling = true;
    while (this.#hasHeldChanges && !signal.aborted) {
      await clock.sleep(pollIntervalMs, signal);
      const newest = await this.#readNewestId();
      if (newest <= this.#lastSeenId || signal.aborted) continue;
      this.#lastSeenId = newest;
      onApproval();
    }
    this.#isPolling = false;
  }

  async #readNewestId(): Promise<number> {
    const { store, gateway } = this.#deps;
    const [newest] = await store.approvals(gateway).catch(() => []);
    return newest?.id ?? 0;
  }
}
