import type { Allowance } from '../core/ports.ts';

/** The longest pause that a server can ask for: a longer one is a mistake, and asking again once an hour hurts nobody. */
const longestMs = 3_600_000;

/** A server that says "now" does not mean it. */
const shortestMs = 1_000;

const unitsMs: Readonly<Record<string, number>> = { second: 1_000, minute: 60_000, hour: 3_600_000, day: 86_400_000 };

/** Where a pause is asked for: two headers and the message of an answer. */
export interface PauseSigns {
  readonly retryAfter: string | null;
  /** The server's own clock. */
  readonly date: string | null;
  /** Such as `… policy ip over ratelimit,limit:5,time:1 minute`, which asks for the window's length. */
  readonly message: string;
}

/** Returns how long an answer asks to be left alone, or `null` if it does not say so. */
export function pauseOf({ retryAfter, date, message }: PauseSigns, nowMs: number): number | null {
  const asked = fromHeader(retryAfter, date, nowMs) ?? fromMessage(message);
  return asked === null ? null : Math.min(Math.max(asked, shortestMs), longestMs);
}

function fromHeader(retryAfter: string | null, date: string | null, nowMs: number): number | null {
  if (retryAfter === null) return null;
  if (/^\s*\d+\s*$/.test(retryAfter)) return Number(retryAfter) * 1_000;
  const untilMs = Date.parse(retryAfter);
  if (Number.isNaN(untilMs)) return null;
  const serverNowMs = date === null ? Number.NaN : Date.parse(date);
  return untilMs - (Number.isNaN(serverNowMs) ? nowMs : serverNowMs);
}

/** Returns the limit that a message such as `… over ratelimit,limit:5,time:1 minute` names, or `null`. */
export function allowanceOf(message: string): Allowance | null {
  const perMs = fromMessage(message);
  const calls = Number(/\blimit:\s*(\d{1,6})/i.exec(message)?.[1] ?? 0);
  return perMs !== null && perMs > 0 && calls > 0 ? { calls, perMs } : null;
}

function fromMessage(message: string): number | null {
  const found = /\btime:\s*(\d{1,6})\s*(second|minute|hour|day)/i.exec(message);
  const unitMs = unitsMs[found?.[2]?.toLowerCase() ?? ''];
  return unitMs === undefined ? null : Number(found?.[1]) * unitMs;
}
