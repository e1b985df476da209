/*
 * The triggers folder notices when a reconciliation is needed other than for a file change or a resync: approvals, requests,
 * timers, retries and rollout steps. A trigger carries no data and never plans or sends anything itself.
 */
import type { TriggerCause } from '../../model/events.ts';
import type { Clock } from '../../model/ports.ts';
import { backoffMs } from '../retry.ts';

export interface TriggerQueueDeps {
  /** Runs a reconciliation and resolves to whether it succeeded. Never rejects. */
  readonly run: (cause: TriggerCause) => Promise<boolean>;
  readonly clock: Pick<Clock, 'sleep'>;
  /** A number from 0 to 1. */
  readonly random: () => number;
  /** Consecutive tries of one reconciliation. */
  readonly maxTries: number;
  /** Ends the retries. */
  readonly signal: AbortSignal;
  /** Called when every requested reconciliation has succeeded or was given up. */
  readonly onDrained: () => void;
}

/**
 * Runs the reconciliations that the runner triggers itself, one at a time. A reconciliation that failed because the store is
 * unavailable is retried: nothing else would trigger it until the next resync.
 */
export class TriggerQueue {
  readonly #deps: TriggerQueueDeps;
  readonly #pending = new Set<TriggerCause>();
  #running: Promise<void> | null = null;

  constructor(deps: TriggerQueueDeps) {
    this.#deps = deps;
  }

  /** Whether a reconciliation is requested or running. */
  get isPending(): boolean {
    return this.#running !== null;
  }

  /** Requests a reconciliation that reads the state from now on. */
  trigger(cause: TriggerCause): void {
    if (this.#deps.signal.aborted) return;
    this.#pending.add(cause);
    this.#running ??= this.#run();
  }

  /** Resolves when no reconciliation is running. */
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
