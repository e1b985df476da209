import type { RateLimit } from '../model/gateway.ts';

/** The longest accepted pause, in milliseconds: a longer one is likely an error, and a request every quarter of an hour does no harm. */
const maxRetryAfterMs = 15 * 60_000;

/** The shortest pause, in milliseconds, even if the server says 0. */
const minRetryAfterMs = 1_000;

const unitsMs: Readonly<Record<string, number>> = { second: 1_000, minute: 60_000, hour: 3_600_000, day: 86_400_000 };

/** The parts of a response that may name a pause: two headers and the message. */
export interface RetryAfterHints {
  readonly retryAfter: string | null;
  /** The `Date` header: the server's clock. */
  readonly date: string | null;
  /** Such as `… policy ip over ratelimit,limit:5,time:1 minute`, where the pause is the length of the window, or `… wait up to one minute`. */
  readonly message: string;
}

/** Returns the pause that a response asks for, in milliseconds, or `null` if it asks for none. */
export function parseRetryAfter({ retryAfter, date, message }: RetryAfterHints, nowMs: number): number | null {
  const requestedMs = parseHeader(retryAfter, date, nowMs) ?? parseWait(message) ?? parseWindow(message);
  return requestedMs === null ? null : Math.min(Math.max(requestedMs, minRetryAfterMs), maxRetryAfterMs);
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
  return toMs(windowPattern.exec(message));
}

function parseWait(message: string): number | null {
  return toMs(waitPattern.exec(message));
}

const duration = String.raw`(\d{1,6}|one|an?)\s*(second|minute|hour|day)s?\b`;
const windowPattern = new RegExp(String.raw`\btime:\s*${duration}`, 'i');
const waitPattern = new RegExp(String.raw`\b(?:wait|again in|again after)\s+(?:(?:up to|at least|for)\s+)?${duration}`, 'i');

function toMs(match: RegExpExecArray | null): number | null {
  if (match === null) return null;
  const [, count = '', unit = ''] = match;
  return (/^\d/.test(count) ? Number(count) : 1) * (unitsMs[unit.toLowerCase()] ?? 0);
}
