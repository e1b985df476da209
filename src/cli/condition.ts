import type { ControllerStatus } from '../core/ports.ts';
import type { RequestLimits } from '../core/publication.ts';
import { formatDurationMs } from '../words/phrases.ts';
import type { Colorize } from './paint.ts';

/** Says how the edict at work, `holder`, is getting on. */
export function formatControllerStatus(
  { updatedAtMs, calls, perMs, paused }: ControllerStatus,
  holder: string,
  limit: RequestLimits,
  paint: Colorize,
): string {
  const since = `${holder}, as of ${iso(updatedAtMs)}`;
  if (paused) return `${paint('yellow', `No calls since ${iso(paused.sinceMs)}: ${paused.message}`)} (${since})`;
  const rate = `${calls} calls per ${formatDurationMs(perMs)}`;
  const isLower = calls * limit.perMs < limit.calls * perMs;
  return `${isLower ? paint('yellow', `Slowed down to ${rate}, since the gateway asks for it`) : `At work with ${rate}`} (${since})`;
}

/** Says of a process that has left its word and is not there that it was killed, or is elsewhere. */
export function formatStaleControllerStatus({ pid, updatedAtMs }: ControllerStatus, paint: Colorize): string {
  return `${paint('yellow', 'No edict is at work here')}: the last one, pid ${pid}, as of ${iso(updatedAtMs)}, is not a process of this machine.`;
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
