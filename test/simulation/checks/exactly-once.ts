import type { Change } from '../../../src/model/change.ts';
import type { PublicationKey } from '../../../src/model/publication.ts';
import { keyOf } from '../names.ts';
import type { SimulatedFile } from '../options.ts';
import type { Check, CheckContext, Effect } from './check.ts';

interface LastOnline {
  readonly by: Effect['by'] | 'start';
  readonly revision: string | null;
  readonly atMs: number;
}

/** Nothing is published again that is online as the file asks: each `online` makes a version, and ten are kept. */
export class ExactlyOnceCheck implements Check {
  readonly #context: CheckContext;
  readonly #lastOnline = new Map<PublicationKey, LastOnline>();
  readonly #declared = new Map<PublicationKey, string>();
  readonly #declaredSinceMs = new Map<PublicationKey, number>();

  constructor(context: CheckContext) {
    this.#context = context;
    for (const { api, environment } of context.options.onlineAtStart)
      this.#lastOnline.set(keyOf(api, environment), { by: 'start', revision: null, atMs: 0 });
  }

  saved({ publications }: SimulatedFile): void {
    const atMs = this.#context.nowMs();
    const declared = new Map(
      publications.map(({ api, environment, state, revision }) => [keyOf(api, environment), `${state} ${revision}`]),
    );
    for (const key of new Set([...declared.keys(), ...this.#declared.keys()])) {
      if (this.#declared.get(key) === declared.get(key)) continue;
      const text = declared.get(key);
      if (text === undefined) this.#declared.delete(key);
      else this.#declared.set(key, text);
      this.#declaredSinceMs.set(key, atMs);
    }
  }

  changedOutside({ key, action, atMs }: Effect): void {
    if (action === 'online') this.#lastOnline.set(key, { by: 'other', revision: null, atMs });
  }

  effected({ key, action, wasOnline, atMs }: Effect, { revision, reason }: Change): void {
    if (action !== 'online') return;
    const last = this.#lastOnline.get(key);
    this.#lastOnline.set(key, { by: 'edict', revision, atMs });
    if (!wasOnline || last === undefined || !this.#isSettledSince(key, last)) return;
    const { isMarkerEnabled, dropsRemarks, unknownOutcome, refreshMs } = this.#context.options;
    // The file asks edict to retry if the outcome cannot be resolved.
    if (reason === 'unknown' && unknownOutcome === 'retry' && (!isMarkerEnabled || dropsRemarks)) return;
    const isAgain = last.by === 'edict' && last.revision === revision;
    const isAdopted = last.by === 'start' && refreshMs !== null;
    if (isAgain || isAdopted)
      this.#context.fail(`exactly once: ${key} was published again (${reason}), online since ${Math.round(last.atMs)} by ${last.by}`);
  }

  /** Whether the file has asked for the same since well before `last`, so that nothing older can still be under way. */
  #isSettledSince(key: PublicationKey, { atMs, by }: LastOnline): boolean {
    const { debounceMs, timeoutMs, limit } = this.#context.options;
    const marginMs = by === 'start' ? -1 : 10_000 + 5 * debounceMs + 2 * timeoutMs + 2 * limit.perMs;
    return (this.#declaredSinceMs.get(key) ?? 0) <= Math.max(0, atMs - marginMs);
  }
}
