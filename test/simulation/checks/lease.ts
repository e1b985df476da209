import type { Check, CheckContext, Sender } from './check.ts';

/** Only the owner of the lease sends: two processes would not know of each other's calls. */
export class LeaseCheck implements Check {
  readonly #context: CheckContext;

  constructor(context: CheckContext) {
    this.#context = context;
  }

  left(sender: Sender): void {
    if (!sender.isOwner()) this.#context.fail(`lease: a request of replica ${sender.replica} left, which does not hold the lease`);
  }
}
