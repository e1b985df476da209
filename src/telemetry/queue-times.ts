import type { EngineEvent } from '../core/events.ts';
import { isMade } from '../core/plan.ts';
import type { PublicationKey } from '../core/publication.ts';

/** What has just become known, in seconds. */
export type Time = { readonly kind: 'waited' | 'converged'; readonly seconds: number };

interface Wish {
  readonly sinceMs: number;
  hasBegun: boolean;
}

/** Since when changes are wanted, and since when a new file is on its way. */
export class QueueTimes {
  readonly #monotonic: () => number;
  #wishes = new Map<PublicationKey, Wish>();
  /** A file that is not everywhere yet; `isPlanned`: a plan was made from it. */
  #file: { readonly sinceMs: number; isPlanned: boolean } | null = null;

  /** `monotonic` returns milliseconds since some instant. */
  constructor(monotonic: () => number) {
    this.#monotonic = monotonic;
  }

  /** How many changes are to be made now and are not done. */
  get queued(): number {
    return this.#wishes.size;
  }

  /** Hears what happens in the engine, and returns what is known by it. */
  hear(event: EngineEvent): Time | null {
    switch (event.type) {
      case 'file:accepted':
        this.#file = { sinceMs: this.#monotonic(), isPlanned: false };
        return null;
      case 'plan:made': {
        if (this.#file) this.#file.isPlanned = true;
        const sinceMs = this.#monotonic();
        const made = event.plan.changes.filter(isMade);
        this.#wishes = new Map(made.map(({ key }) => [key, this.#wishes.get(key) ?? { sinceMs, hasBegun: false }]));
        return null;
      }
      case 'attempt:begun': {
        const wish = this.#wishes.get(event.change.key);
        if (!wish || wish.hasBegun) return null;
        wish.hasBegun = true;
        return { kind: 'waited', seconds: this.#since(wish.sinceMs) };
      }
      case 'attempt:settled':
      case 'attempt:resolved':
        if (event.outcome.kind === 'succeeded') this.#wishes.delete(event.change.key);
        return null;
      case 'pass:finished': {
        const { failed, held, waiting } = event.summary;
        const file = this.#file;
        if (!file?.isPlanned || failed + held + waiting > 0) return null;
        this.#file = null;
        return { kind: 'converged', seconds: this.#since(file.sinceMs) };
      }
      default:
        return null;
    }
  }

  #since(ms: number): number {
    return (this.#monotonic() - ms) / 1000;
  }
}
