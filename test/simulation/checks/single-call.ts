import type { Change } from '../../../src/model/change.ts';
import type { Check, CheckContext, Sender } from './check.ts';

/** Two calls for one API are never in flight together: the service refuses overlapping operations. */
export class SingleCallCheck implements Check {
  readonly #context: CheckContext;
  readonly #inFlight = new Map<string, Sender>();

  constructor(context: CheckContext) {
    this.#context = context;
  }

  left(sender: Sender, changes: readonly Change[]): void {
    for (const { apiId } of changes) {
      // The next owner of the lease cannot wait for a call of the last one that is never answered.
      if (this.#inFlight.get(apiId)?.isOwner()) this.#context.fail(`single call: two calls for ${apiId} are in flight`);
      this.#inFlight.set(apiId, sender);
    }
  }

  settled(_: Sender, changes: readonly Change[]): void {
    for (const { apiId } of changes) this.#inFlight.delete(apiId);
  }

  died(replica: number): void {
    for (const [apiId, by] of this.#inFlight) if (by.replica === replica) this.#inFlight.delete(apiId);
  }
}
