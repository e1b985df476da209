import type { AcquireRequestSlot, RequestResult } from '../core/ports.ts';
import { findErrorRule } from './classify.ts';
import { ConnectionError, GatewayError } from './gateway-error.ts';

/** Runs one request inside the limit and says how it ended; without `admit` at once. Resolves and rejects as `request` does. */
export async function withRateLimit<T>(admit: AcquireRequestSlot | undefined, signal: AbortSignal, request: () => Promise<T>): Promise<T> {
  const ended = await admit?.(signal);
  try {
    const answer = await request();
    ended?.(answeredResult);
    return answer;
  } catch (error) {
    ended?.(requestResultOf(error));
    throw error;
  }
}

const answeredResult: RequestResult = { kind: 'answered', retryAfterMs: null, rateLimit: null };

function requestResultOf(error: unknown): RequestResult {
  if (!(error instanceof GatewayError)) return answeredResult;
  const { code, status, retryAfterMs, rateLimit, cause } = error;
  if (code === 'NOT_SENT') return { ...answeredResult, kind: 'unsent' };
  if (error instanceof ConnectionError || cause instanceof ConnectionError) return { ...answeredResult, kind: 'lost' };
  const isThrottled = findErrorRule(code, status, 'read').errorClass === 'slow down';
  return { kind: isThrottled ? 'throttled' : 'answered', retryAfterMs, rateLimit };
}
