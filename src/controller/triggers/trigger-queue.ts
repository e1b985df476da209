import type { TriggerCause } from '../../model/events.ts';
import type { Clock } from '../../model/ports.ts';
import { backoffMs } from '../retry.ts';

export interface TriggerQueueDeps {
  /** Makes a pass and resolves to whether it could be made. Never rejects. */
  readonly run: (cause: TriggerCause) => Promise<boolean>;
  readonly clock: Pick<Clock, 'sleep'>;
  /** A number from 0 to 1. */
  readonly random: () => number;
  /** How often a pass is tried in a row. */
  readonly maxTries: number;
  /** Ends the trying. */
  readonly signal: AbortSignal;
  /** Called when every pass that was asked for has been made or given up. */
  readonly onDrained: () => void;
}

/**
 * The passes that an engine makes by itself, one at a time. One that could not be made, since the store is away, is made later:
 * nobody else would ask for it until the next resync.
 */
export class TriggerQueue {
  readonly #deps: TriggerQueueDeps;
  readonly #pending = new Set<TriggerCause>();
  #running: Promise<void> | null = null;

  constructor(deps: TriggerQueueDeps) {
    this.#deps = deps;
  }

  /** Whether some pass is still to be made. */
  get isPending(): boolean {
    return this.#running !== null;
  }

  /** Asks for a pass that reads what there is from now on. */
  trigger(cause: TriggerCause): void {
    if (this.#deps.signal.aborted) return;
    this.#pending.add(cause);
    this.#running ??= this.#run();
  }

  /** Resolves when no pass is being made. */
  async drained(): Promise<void> {
    await this.#running;
  }

  async #run(): Promise<void> {
    const { run, clock, random, maxTries, signal, onDrained } = this.#deps;
    let failures = 0;
    for (let [cause] = this.#pending; cause && failures < maxTries && !signal.aborted; [cause] = this.#pending) {
      this.#pending.delete(cause);
      if (await run(cause)) failures = 0;
      else {
        failures += 1;
        this.#pending.add(cause);
        if (failures < maxTries) await clock.sleep(backoffMs(failures, random()), signal);
      }
    }
    this.#pending.clear();
    this.#running = null;
    onDrained();
  }
}
