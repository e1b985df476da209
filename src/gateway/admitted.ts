import type { Admit, RequestEnd } from '../core/ports.ts';
import { classify } from './classify.ts';
import { ConnectionError, GatewayError } from './gateway-error.ts';

/** Runs one request inside the limit and says how it ended; without `admit` at once. Resolves and rejects as `request` does. */
export async function admitted<T>(admit: Admit | undefined, signal: AbortSignal, request: () => Promise<T>): Promise<T> {
  const ended = await admit?.(signal);
  try {
    const answer = await request();
    ended?.(answered);
    return answer;
  } catch (error) {
    ended?.(endOf(error));
    throw error;
  }
}

const answered: RequestEnd = { kind: 'answered', pauseMs: null, allowed: null };

function endOf(error: unknown): RequestEnd {
  if (!(error instanceof GatewayError)) return answered;
  const { code, status, pauseMs, allowed, cause } = error;
  if (code === 'NOT_SENT') return { ...answered, kind: 'unsent' };
  if (error instanceof ConnectionError || cause instanceof ConnectionError) return { ...answered, kind: 'lost' };
  const isThrottled = classify(code, status, 'read').verdict === 'slow down';
  return { kind: isThrottled ? 'throttled' : 'answered', pauseMs, allowed };
}
