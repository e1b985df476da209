import { findErrorRule } from './error-rules.ts';
import { ConnectionError, GatewayError, RequestNotSentError } from './errors.ts';
import type { AcquireRequestSlot, RequestResult } from './interface.ts';

/** Runs one request within the rate limit and reports its result; without `acquire`, immediately. Settles as `request` does. */
export async function withRateLimit<T>(
  acquire: AcquireRequestSlot | undefined,
  signal: AbortSignal,
  request: () => Promise<T>,
): Promise<T> {
  const report = await acquire?.(signal);
  try {
    const result = await request();
    report?.(answeredResult);
    return result;
  } catch (error) {
    report?.(requestResultOf(error));
    throw error;
  }
}

const answeredResult: RequestResult = { kind: 'answered', retryAfterMs: null, rateLimit: null };

function requestResultOf(error: unknown): RequestResult {
  if (!(error instanceof GatewayError)) return answeredResult;
  const { code, status, retryAfterMs, rateLimit, cause } = error;
  if (error instanceof RequestNotSentError) return { ...answeredResult, kind: 'unsent' };
  if (error instanceof ConnectionError || cause instanceof ConnectionError) return { ...answeredResult, kind: 'lost' };
  const isThrottled = findErrorRule(code, status, 'read').errorClass === 'throttle';
  return { kind: isThrottled ? 'throttled' : 'answered', retryAfterMs, rateLimit };
}

/**
 * Returns an `acquire` that checks the lease after the wait for a slot. If the lease is no longer held, it rejects with a
 * RequestNotSentError.
 */
export function withLease(lease: { isHeld(): boolean }, acquire: AcquireRequestSlot): AcquireRequestSlot {
  return async (signal) => {
    const report = await acquire(signal);
    if (lease.isHeld()) return report;
    report({ kind: 'unsent', retryAfterMs: null, rateLimit: null });
    throw new RequestNotSentError();
  };
}
