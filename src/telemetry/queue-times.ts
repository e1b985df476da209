import type { EdictEvent } from '../model/events.ts';
import type { PublicationKey } from '../model/publication.ts';
import { isActionable } from '../plan/diff.ts';

/** A measured time, in seconds: a change waited for its first attempt, or a new file reached in-sync. */
export type QueueTime = { readonly kind: 'queued' | 'inSync'; readonly seconds: number };

interface PendingChange {
  readonly sinceMs: number;
  hasStarted: boolean;
}

/** Measures how long changes wait for their first attempt, and how long a new file takes until it is in sync. */
export class QueueTimes {
  readonly #monotonic: () => number;
  #pending = new Map<PublicationKey, PendingChange>();
  /** A file that is not in sync yet; `isPlanned` is set once a plan was computed from it. */
  #file: { readonly sinceMs: number; isPlanned: boolean } | null = null;

  /** `monotonic` returns milliseconds since an arbitrary instant. */
  constructor(monotonic: () => number) {
    this.#monotonic = monotonic;
  }

  /** The number of actionable changes that are not made yet. */
  get queued(): number {
    return this.#pending.size;
  }

  /** Handles an event, and returns the time that it completes, if any. */
  record(event: EdictEvent): QueueTime | null {
    switch (event.type) {
      case 'file:loaded':
        this.#file = { sinceMs: this.#monotonic(), isPlanned: false };
        return null;
      case 'plan:computed': {
        if (this.#file) this.#file.isPlanned = true;
        const sinceMs = this.#monotonic();
        const actionable = event.plan.changes.filter(isActionable);
        this.#pending = new Map(actionable.map(({ key }) => [key, this.#pending.get(key) ?? { sinceMs, hasStarted: false }]));
        return null;
      }
      case 'attempt:started': {
        const change = this.#pending.get(event.change.key);
        if (!change || change.hasStarted) return null;
        change.hasStarted = true;
        return { kind: 'queued', seconds: this.#secondsSince(change.sinceMs) };
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
        return { kind: 'inSync', seconds: this.#secondsSince(file.sinceMs) };
      }
      default:
        return null;
    }
  }

  #secondsSince(ms: number): number {
    return (this.#monotonic() - ms) / 1000;
  }
}
