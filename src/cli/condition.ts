import type { Condition } from '../core/ports.ts';
import type { Limit } from '../core/publication.ts';
import { durationInWords } from '../words/phrases.ts';
import type { Paint } from './paint.ts';

/** Says how the edict at work, `holder`, is getting on. */
export function conditionInWords({ atMs, calls, perMs, stopped }: Condition, holder: string, limit: Limit, paint: Paint): string {
  const since = `${holder}, as of ${iso(atMs)}`;
  if (stopped) return `${paint('yellow', `No calls since ${iso(stopped.sinceMs)}: ${stopped.message}`)} (${since})`;
  const rate = `${calls} calls per ${durationInWords(perMs)}`;
  const isLower = calls * limit.perMs < limit.calls * perMs;
  return `${isLower ? paint('yellow', `Slowed down to ${rate}, since the gateway asks for it`) : `At work with ${rate}`} (${since})`;
}

/** Says of a process that has left its word and is not there that it was killed, or is elsewhere. */
export function goneInWords({ pid, atMs }: Condition, paint: Paint): string {
  return `${paint('yellow', 'No edict is at work here')}: the last one, pid ${pid}, as of ${iso(atMs)}, is not a process of this machine.`;
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
