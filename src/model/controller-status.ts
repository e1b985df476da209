import type { ProbeResult } from './change.ts';

/** The status of the process that works on a gateway. */
export interface ControllerStatus {
  readonly updatedAtMs: number;
  readonly pid: number;
  /** The current rate limit, in requests per `perMs`: the file's limit, or less while the gateway throttles. */
  readonly calls: number;
  readonly perMs: number;
  /** Why requests are paused; `null` if they are not. */
  readonly paused: RequestPause | null;
  /** Failed probes, truncated if there are many; omitted if there are none. */
  readonly failedProbes?: readonly ProbeResult[];
}

/** Why requests are paused: the gateway asked for a `pause`, cannot be reached (`outage`), or rejects the `credentials`. */
export interface RequestPause {
  readonly reason: 'pause' | 'outage' | 'credentials';
  readonly message: string;
  readonly sinceMs: number;
}
