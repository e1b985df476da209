import type { ControllerStatus } from '../core/ports.ts';

/** Returns how it is getting on as other programs read it. */
export function controllerStatusJson({ pid, updatedAtMs, calls, perMs, paused }: ControllerStatus) {
  return {
    pid,
    asOf: iso(updatedAtMs),
    rate: { calls, perMs },
    stopped: paused && { why: paused.reason, message: paused.message, since: iso(paused.sinceMs) },
  };
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
