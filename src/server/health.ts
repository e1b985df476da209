import type { EdictEvent } from '../model/events.ts';

/** What a check of health answers. */
export interface HealthResult {
  readonly ok: boolean;
  /** For a person, in one line. */
  readonly message: string;
}

/** Whether the daemon is fit for work. A gateway that is down is none of its faults: to start it anew would help nobody. */
export class Health {
  #hasFile = false;
  #storeError: string | null = null;
  #isStopped = false;
  #fileFailure: string | null = null;

  /** Hears what happens in the engine. */
  emit(event: EdictEvent): void {
    if (event.type === 'file:loaded') this.#hasFile = true;
    if (event.type === 'file:failed') this.#fileFailure = event.message;
    if (event.type === 'store:error') this.#storeError = event.message;
    // A plan has read the record, an attempt has written it.
    if (event.type === 'plan:computed' || event.type === 'attempt:started') this.#storeError = null;
    if (event.type === 'daemon:stopped') this.#isStopped = true;
  }

  /** Returns whether the loop goes on. */
  live(): HealthResult {
    return this.#isStopped ? { ok: false, message: 'the daemon has ended' } : { ok: true, message: 'alive' };
  }

  /** Returns whether a valid file has been read and the store works. */
  ready(): HealthResult {
    if (this.#fileFailure !== null) return { ok: false, message: this.#fileFailure };
    if (!this.#hasFile) return { ok: false, message: 'no valid file has been read yet' };
    if (this.#storeError !== null) return { ok: false, message: `the store fails: ${this.#storeError}` };
    return { ok: true, message: 'ready' };
  }
}
