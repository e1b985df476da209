import type { AcquireRequestSlot, Lease, RequestResult } from '../model/ports.ts';
import { findErrorRule } from './error-rules.ts';
import { ConnectionError, GatewayError, notSentError } from './errors.ts';

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
  if (code === 'REQUEST_NOT_SENT') return { ...answeredResult, kind: 'unsent' };
  if (error instanceof ConnectionError || cause instanceof ConnectionError) return { ...answeredResult, kind: 'lost' };
  const isThrottled = findErrorRule(code, status, 'read').errorClass === 'slow down';
  return { kind: isThrottled ? 'throttled' : 'answered', retryAfterMs, rateLimit };
}

/**
 * Returns an `admit` that lets nothing leave when the lease is not held any more, however late its turn comes. It rejects with a
 * ConnectionError `REQUEST_NOT_SENT` then.
 */
export function withLease(lease: Lease, admit: AcquireRequestSlot): AcquireRequestSlot {
  return async (signal) => {
    const ended = await admit(signal);
    if (lease.isHeld()) return ended;
    ended({ kind: 'unsent', retryAfterMs: null, rateLimit: null });
    throw notSentError();
  };
}
