import type { Clock, ReadResult } from '../core/ports.ts';
import { backoffMs } from './backoff.ts';

/** As often as `apply` tries one change. */
const maxReadTries = 4;

export interface RetryReadDeps {
  readonly clock: Pick<Clock, 'sleep'>;
  /** Returns a number from 0 to 1. */
  readonly random: () => number;
  /** Ends the waiting; what was read last is the answer then. */
  readonly signal: AbortSignal;
}

/**
 * Returns what comes of a read that is tried again while what went wrong may pass by itself: four times in all, after a second
 * or less, then longer each time. Pauses that the gateway asks for are not waited for here: each request waits for those by itself.
 */
export async function retryRead<T>(once: () => Promise<ReadResult<T>>, { clock, random, signal }: RetryReadDeps): Promise<ReadResult<T>> {
  for (let failures = 1; ; failures += 1) {
    const came = await once();
    const mayPass = came.kind === 'retry' || came.kind === 'wait';
    if (!mayPass || failures === maxReadTries || signal.aborted) return came;
    await clock.sleep(backoffMs(failures, random()), signal);
  }
}
