import type { EdictEvent } from '../../../src/model/events.ts';
import type { PublicationKey } from '../../../src/model/publication.ts';
import { isActionable } from '../../../src/plan/diff.ts';
import type { Check, CheckContext } from './check.ts';

/** What one process does about its plan. */
interface Turns {
  /** How often others were tried again while this key, which may be changed now, has not been tried. */
  readonly waiting: Map<PublicationKey, number>;
  /** Keys whose last attempt did not succeed. */
  readonly failing: Set<PublicationKey>;
}

/** A change that was never tried is not kept waiting by others that fail and are tried again. */
export class FairnessCheck implements Check {
  readonly #context: CheckContext;
  readonly #turns = new Map<number, Turns>();

  constructor(context: CheckContext) {
    this.#context = context;
  }

  died(replica: number): void {
    this.#turns.delete(replica);
  }

  event(replica: number, event: EdictEvent): void {
    const turns = this.#turns.get(replica) ?? { waiting: new Map(), failing: new Set() };
    this.#turns.set(replica, turns);
    const { waiting, failing } = turns;
    switch (event.type) {
      case 'plan:computed': {
        const planned = new Set(event.plan.changes.filter(isActionable).map(({ key }) => key));
        for (const key of waiting.keys()) if (!planned.has(key)) waiting.delete(key);
        for (const key of planned) if (!failing.has(key) && !waiting.has(key)) waiting.set(key, 0);
        return;
      }
      case 'attempt:started':
        if (failing.has(event.change.key)) this.#countTurn(waiting);
        return;
      case 'attempt:finished':
        // A request that was given up in the queue was no try.
        if ('failure' in event.outcome && event.outcome.failure.code === 'REQUEST_NOT_SENT') return;
        waiting.delete(event.change.key);
        if (event.outcome.kind === 'succeeded') failing.delete(event.change.key);
        else failing.add(event.change.key);
        return;
      case 'attempt:recovered':
        failing.delete(event.change.key);
        return;
      default:
    }
  }

  #countTurn(waiting: Turns['waiting']): void {
    // Its API may be busy, or a read of its own may hang, while others are tried a few times. In 3,000 histories it takes 14 turns at most.
    const most = 40;
    for (const [key, turns] of waiting) {
      waiting.set(key, turns + 1);
      if (turns + 1 > most) this.#context.fail(`fairness: ${key} has not been tried while others were tried again ${turns + 1} times`);
    }
  }
}
