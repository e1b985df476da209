import type { Condition } from '../core/ports.ts';

/** Returns how it is getting on as other programs read it. */
export function conditionJson({ pid, atMs, calls, perMs, stopped }: Condition) {
  return {
    pid,
    asOf: iso(atMs),
    rate: { calls, perMs },
    stopped: stopped && { why: stopped.why, message: stopped.message, since: iso(stopped.sinceMs) },
  };
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
