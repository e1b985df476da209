import type { EdictEvent } from '../model/events.ts';
import type { PublicationKey } from '../model/publication.ts';
import { isActionable } from '../plan/diff.ts';

/** What has just become known, in seconds. */
export type QueueTime = { readonly kind: 'waited' | 'converged'; readonly seconds: number };

interface PendingChange {
  readonly sinceMs: number;
  hasStarted: boolean;
}

/** Since when changes are wanted, and since when a new file is on its way. */
export class QueueTimes {
  readonly #monotonic: () => number;
  #pending = new Map<PublicationKey, PendingChange>();
  /** A file that is not everywhere yet; `isPlanned`: a plan was made from it. */
  #file: { readonly sinceMs: number; isPlanned: boolean } | null = null;

  /** `monotonic` returns milliseconds since some instant. */
  constructor(monotonic: () => number) {
    this.#monotonic = monotonic;
  }

  /** How many changes are to be made now and are not done. */
  get queued(): number {
    return this.#pending.size;
  }

  /** Hears what happens in the engine, and returns what is known by it. */
  record(event: EdictEvent): QueueTime | null {
    switch (event.type) {
      case 'file:loaded':
        this.#file = { sinceMs: this.#monotonic(), isPlanned: false };
        return null;
      case 'plan:computed': {
        if (this.#file) this.#file.isPlanned = true;
        const sinceMs = this.#monotonic();
        const made = event.plan.changes.filter(isActionable);
        this.#pending = new Map(made.map(({ key }) => [key, this.#pending.get(key) ?? { sinceMs, hasStarted: false }]));
        return null;
      }
      case 'attempt:started': {
        const wish = this.#pending.get(event.change.key);
        if (!wish || wish.hasStarted) return null;
        wish.hasStarted = true;
        return { kind: 'waited', seconds: this.#secondsSince(wish.sinceMs) };
      }
      case 'attempt:finished':
      case 'attempt:recovered':
        if (event.outcome.kind === 'succeeded') this.#pending.delete(event.change.key);
        return null;
      case 'reconcile:finished': {
        const { failed, held, deferred } = event.summary;
        const file = this.#file;
        if (!file?.isPlanned || failed + held + deferred > 0) return null;
        this.#file = null;
        return { kind: 'converged', seconds: this.#secondsSince(file.sinceMs) };
      }
      default:
        return null;
    }
  }

  #secondsSince(ms: number): number {
    return (this.#monotonic() - ms) / 1000;
  }
}
