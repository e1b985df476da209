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
      case 'attempt:started': {
        const { key } = event.change;
        waiting.delete(key);
        if (failing.has(key)) this.#countTurn(waiting);
        return;
      }
      case 'attempt:finished':
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
    const { apis, environments } = this.#context.options;
    // Its API may be busy, or a read of its own may hang, while each of the others is tried a few times.
    const most = 20 + 6 * apis * environments;
    for (const [key, turns] of waiting) {
      waiting.set(key, turns + 1);
      if (turns + 1 > most) this.#context.fail(`fairness: ${key} has not been tried while others were tried again ${turns + 1} times`);
    }
  }
}
