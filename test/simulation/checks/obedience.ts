import type { Change } from '../../../src/model/change.ts';
import type { DesiredState } from '../../../src/model/desired-state.ts';
import type { EdictEvent } from '../../../src/model/events.ts';
import type { Check, CheckContext, Sender } from './check.ts';

/** How long a suspension may take to reach the lease holder, in milliseconds: it is looked for once a second. */
const suspensionReachesMs = 1500;

/** How long a file that was loaded may take to reach the queue, in milliseconds. */
const fileReachesMs = 100;

/** The newest file and a suspension win: no call leaves for an older file, and none while everything is suspended. */
export class ObedienceCheck implements Check {
  readonly #context: CheckContext;
  #suspendedAtMs = Number.POSITIVE_INFINITY;
  /** When the store last ceased to fail; infinity while it fails, since a suspension cannot be read then. */
  #disturbedAtMs = Number.NEGATIVE_INFINITY;
  readonly #loaded = new Map<number, { readonly desired: DesiredState; readonly atMs: number }>();

  constructor(context: CheckContext) {
    this.#context = context;
  }

  suspended(isSuspended: boolean): void {
    this.#suspendedAtMs = isSuspended ? this.#context.nowMs() : Number.POSITIVE_INFINITY;
  }

  disturbed(isFailing: boolean): void {
    this.#disturbedAtMs = isFailing ? Number.POSITIVE_INFINITY : this.#context.nowMs();
  }

  died(replica: number): void {
    this.#loaded.delete(replica);
  }

  event(replica: number, event: EdictEvent): void {
    if (event.type === 'file:loaded') this.#loaded.set(replica, { desired: event.desired, atMs: this.#context.nowMs() });
  }

  left({ replica }: Sender, changes: readonly Change[]): void {
    const { nowMs, fail, options } = this.#context;
    const atMs = nowMs();
    const sinceMs = Math.max(this.#suspendedAtMs, this.#disturbedAtMs);
    if (changes.length > 0 && this.#suspendedAtMs < atMs && atMs > sinceMs + suspensionReachesMs + 5 * options.debounceMs)
      fail(`obedience: a call left ${Math.round(atMs - this.#suspendedAtMs)} ms after everything was suspended`);
    const loaded = this.#loaded.get(replica);
    if (!loaded || atMs < loaded.atMs + fileReachesMs) return;
    for (const { key, action, revision } of changes) {
      const declared = loaded.desired.publications.get(key);
      const isAsked = declared ? declared.state === action && declared.revision === revision : action === 'offline' && loaded.desired.prune;
      if (!isAsked)
        fail(`obedience: ${action} of ${key} left, which the file loaded ${Math.round(atMs - loaded.atMs)} ms ago does not ask for`);
    }
  }
}
