import type { Clock } from './clock.ts';
import type { Env } from './env.ts';
import type { EventBus } from './events.ts';
import type { Settings } from './settings.ts';

/** The dependencies that all parts of one command, or of one file of the daemon, share. */
export interface AppContext {
  readonly env: Env;
  readonly settings: Settings;
  readonly clock: Clock;
  /** Returns a number from 0 to 1. */
  readonly random: () => number;
  readonly events: EventBus;
  /** Aborted when the process is asked to stop: nothing new is started, and calls in flight still finish. */
  readonly signal: AbortSignal;
}
