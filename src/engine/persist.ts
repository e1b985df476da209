import type { Clock } from '../core/ports.ts';
import { backoffMs } from './backoff.ts';

export interface RetryWriteDeps {
  readonly clock: Pick<Clock, 'sleep'>;
  /** A number from 0 to 1. */
  readonly random: () => number;
  readonly maxTries: number;
  readonly signal: AbortSignal;
  /** Called with what each try threw; throws itself if that is no reason to try again. */
  readonly onError: (error: unknown) => void;
}

/**
 * Writes an outcome, again and again if need be, and resolves to whether it could be written: to lose one would mean to ask
 * for the same version again.
 */
export async function retryWrite(
  write: () => Promise<void>,
  { clock, random, maxTries, signal, onError }: RetryWriteDeps,
): Promise<boolean> {
  for (let failures = 1; ; failures += 1) {
    try {
      await write();
      return true;
    } catch (error) {
      onError(error);
      if (failures >= maxTries || signal.aborted) return false;
      await clock.sleep(backoffMs(failures, random()), signal);
    }
  }
}
