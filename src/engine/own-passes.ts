import type { PassCause } from '../core/events.ts';
import type { Clock } from '../core/ports.ts';
import { backoffMs } from './backoff.ts';

export interface OwnPassesDeps {
  /** Makes a pass and resolves to whether it could be made. Never rejects. */
  readonly make: (cause: PassCause) => Promise<boolean>;
  readonly clock: Pick<Clock, 'sleep'>;
  /** A number from 0 to 1. */
  readonly random: () => number;
  /** How often a pass is tried in a row. */
  readonly maxTries: number;
  /** Ends the trying. */
  readonly signal: AbortSignal;
  /** Called when every pass that was asked for has been made or given up. */
  readonly onEnd: () => void;
}

/**
 * The passes that an engine makes by itself, one at a time. One that could not be made, since the store is away, is made later:
 * nobody else would ask for it until the next resync.
 */
export class OwnPasses {
  readonly #deps: OwnPassesDeps;
  readonly #wanted = new Set<PassCause>();
  #making: Promise<void> | null = null;

  constructor(deps: OwnPassesDeps) {
    this.#deps = deps;
  }

  /** Whether some pass is still to be made. */
  get isPending(): boolean {
    return this.#making !== null;
  }

  /** Asks for a pass that reads what there is from now on. */
  request(cause: PassCause): void {
    if (this.#deps.signal.aborted) return;
    this.#wanted.add(cause);
    this.#making ??= this.#make();
  }

  /** Resolves when no pass is being made. */
  async ended(): Promise<void> {
    await this.#making;
  }

  async #make(): Promise<void> {
    const { make, clock, random, maxTries, signal, onEnd } = this.#deps;
    let failures = 0;
    for (let [cause] = this.#wanted; cause && failures < maxTries && !signal.aborted; [cause] = this.#wanted) {
      this.#wanted.delete(cause);
      if (await make(cause)) failures = 0;
      else {
        failures += 1;
        this.#wanted.add(cause);
        if (failures < maxTries) await clock.sleep(backoffMs(failures, random()), signal);
      }
    }
    this.#wanted.clear();
    this.#making = null;
    onEnd();
  }
}
