import type { Condition } from '../core/ports.ts';
import type { Limit } from '../core/publication.ts';
import type { Paint } from './paint.ts';
import { durationInWords } from './words.ts';

/** Says how the process at work is getting on. */
export function conditionInWords({ pid, atMs, calls, perMs, stopped }: Condition, limit: Limit, paint: Paint): string {
  const since = `pid ${pid}, as of ${iso(atMs)}`;
  if (stopped) return `${paint('yellow', `No calls since ${iso(stopped.sinceMs)}: ${stopped.message}`)} (${since})`;
  const rate = `${calls} calls per ${durationInWords(perMs)}`;
  const isLower = calls * limit.perMs < limit.calls * perMs;
  return `${isLower ? paint('yellow', `Slowed down to ${rate}, since the gateway asks for it`) : `At work with ${rate}`} (${since})`;
}

/** Says of a process that has left its word and is not there that it was killed, or is elsewhere. */
export function goneInWords({ pid, atMs }: Condition, paint: Paint): string {
  return `${paint('yellow', 'No edict is at work here')}: the last one, pid ${pid}, as of ${iso(atMs)}, is not a process of this machine.`;
}

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
