import type { Clock, ReadResult } from '../model/ports.ts';

const initialBackoffMs = 1000;
const maxBackoffMs = 5 * 60_000;

/**
 * Returns how many milliseconds to wait after the given number of failures in a row (1 and up): a second, doubled each
 * time up to five minutes, of which a random half keeps many publications from coming back at the same instant.
 *
 * @param random a number from 0 to 1
 */
export function backoffMs(failures: number, random: number): number {
  const whole = Math.min(maxBackoffMs, initialBackoffMs * 2 ** (failures - 1));
  return Math.round(whole / 2 + (whole / 2) * random);
}

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
