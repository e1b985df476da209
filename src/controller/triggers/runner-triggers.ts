import type { TriggerCause } from '../../model/events.ts';

/** How the parts of a runner ask for its next reconciliation. They never start one themselves. */
export interface RunnerTriggers {
  /** Requests a reconciliation after `afterMs` milliseconds at the latest; default: now. */
  readonly trigger: (cause: TriggerCause, afterMs?: number) => void;
  /** Something has ended, after which nothing may be left to do. */
  readonly wake: () => void;
  /** No plan can be computed. Only called if `maxTries` is finite. */
  readonly fail: (error: Error) => void;
}
