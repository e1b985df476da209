import type { TriggerCause } from '../../model/events.ts';

/** How the parts of a runner ask for its next reconciliation. They never start one themselves. */
export interface RunnerTriggers {
  /** Requests a reconciliation after `afterMs` milliseconds at the latest; default: now. */
  readonly trigger: (cause: TriggerCause, afterMs?: number) => void;
  /** Makes the loop check whether anything is left to do. */
  readonly wake: () => void;
  /** Ends the loop with an error, because no plan can be computed. Called only if `maxTries` is finite; a daemon tries again instead. */
  readonly fail: (error: Error) => void;
}
