import type { EdictEvent } from '../model/events.ts';

/** The result of a health check. */
export interface HealthResult {
  readonly ok: boolean;
  /** One line for people. */
  readonly message: string;
}

/** Liveness and readiness of the daemon. A gateway outage does not count, since restarting the daemon would not help. */
export class Health {
  #hasFile = false;
  #storeError: string | null = null;
  #isStopped = false;
  #fileFailure: string | null = null;

  /** Updates the health from an event. */
  emit(event: EdictEvent): void {
    if (event.type === 'file:loaded') this.#hasFile = true;
    if (event.type === 'file:failed') this.#fileFailure = event.message;
    if (event.type === 'store:error' || event.type === 'reconcile:failed') this.#storeError = event.message;
    // Both prove that the store works: a plan has read it, and an attempt has written to it.
    if (event.type === 'plan:computed' || event.type === 'attempt:started') this.#storeError = null;
    if (event.type === 'daemon:stopped') this.#isStopped = true;
  }

  /** Returns whether the daemon still runs. */
  live(): HealthResult {
    return this.#isStopped ? { ok: false, message: 'the daemon has stopped' } : { ok: true, message: 'alive' };
  }

  /** Returns whether a valid file has been read and the store works. */
  ready(): HealthResult {
    if (this.#fileFailure !== null) return { ok: false, message: this.#fileFailure };
    if (!this.#hasFile) return { ok: false, message: 'no valid file has been loaded yet' };
    if (this.#storeError !== null) return { ok: false, message: `store error: ${this.#storeError}` };
    return { ok: true, message: 'ready' };
  }
}
