import type { RateLimit } from '../model/ports.ts';

/** The longest pause that a server can ask for: a longer one is a mistake, and asking again once an hour hurts nobody. */
const maxRetryAfterMs = 3_600_000;

/** A server that says "now" does not mean it. */
const minRetryAfterMs = 1_000;

const unitsMs: Readonly<Record<string, number>> = { second: 1_000, minute: 60_000, hour: 3_600_000, day: 86_400_000 };

/** Where a pause is asked for: two headers and the message of an answer. */
export interface RetryAfterHints {
  readonly retryAfter: string | null;
  /** The server's own clock. */
  readonly date: string | null;
  /** Such as `… policy ip over ratelimit,limit:5,time:1 minute`, which asks for the window's length. */
  readonly message: string;
}

/** Returns how long an answer asks to be left alone, or `null` if it does not say so. */
export function parseRetryAfter({ retryAfter, date, message }: RetryAfterHints, nowMs: number): number | null {
  const asked = parseHeader(retryAfter, date, nowMs) ?? parseWindow(message);
  return asked === null ? null : Math.min(Math.max(asked, minRetryAfterMs), maxRetryAfterMs);
}

function parseHeader(retryAfter: string | null, date: string | null, nowMs: number): number | null {
  if (retryAfter === null) return null;
  if (/^\s*\d+\s*$/.test(retryAfter)) return Number(retryAfter) * 1_000;
  const untilMs = Date.parse(retryAfter);
  if (Number.isNaN(untilMs)) return null;
  const serverNowMs = date === null ? Number.NaN : Date.parse(date);
  return untilMs - (Number.isNaN(serverNowMs) ? nowMs : serverNowMs);
}

/** Returns the limit that a message such as `… over ratelimit,limit:5,time:1 minute` names, or `null`. */
export function parseRateLimit(message: string): RateLimit | null {
  const perMs = parseWindow(message);
  const calls = Number(/\blimit:\s*(\d{1,6})/i.exec(message)?.[1] ?? 0);
  return perMs !== null && perMs > 0 && calls > 0 ? { calls, perMs } : null;
}

function parseWindow(message: string): number | null {
  const found = /\btime:\s*(\d{1,6})\s*(second|minute|hour|day)/i.exec(message);
  const unitMs = unitsMs[found?.[2]?.toLowerCase() ?? ''];
  return unitMs === undefined ? null : Number(found?.[1]) * unitMs;
}
