import type { GatewayReader } from '../gateway/interface.ts';
import type { Clock } from '../model/clock.ts';
import type { ReadResult } from '../model/outcome.ts';

const initialBackoffMs = 1000;
const maxBackoffMs = 5 * 60_000;

/**
 * Returns the backoff in milliseconds after `failures` consecutive failures (1 and up): one second, doubled each time up to
 * five minutes. Half of it is jitter, so that many publications do not retry at the same instant.
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
  /** Called with the error of each failed try; must rethrow an error that is not retryable. */
  readonly onError: (error: unknown) => void;
}

/**
 * Writes an outcome, with retries, and resolves to whether it was written. A lost outcome would make edict publish
 * the same version again.
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

/** The same number of tries as `apply` gives one change. */
const maxReadTries = 4;

export interface RetryReadDeps {
  readonly clock: Pick<Clock, 'sleep'>;
  /** Returns a number from 0 to 1. */
  readonly random: () => number;
  /** Ends the wait; the last read is returned then. */
  readonly signal: AbortSignal;
}

/**
 * Retries a read while its failure is transient: four tries in all, the first retry after at most a second, with growing backoff.
 * A pause that the gateway asks for is not handled here: the rate limiter delays each request.
 */
export async function retryRead<T>(
  readOnce: () => Promise<ReadResult<T>>,
  { clock, random, signal }: RetryReadDeps,
): Promise<ReadResult<T>> {
  for (let failures = 1; ; failures += 1) {
    const result = await readOnce();
    const isTransient = result.kind === 'retryable' || result.kind === 'throttled';
    if (!isTransient || failures === maxReadTries || signal.aborted) return result;
    await clock.sleep(backoffMs(failures, random()), signal);
  }
}

/** Returns a reader that retries each read as `retryRead` does: one failed answer must not end a command that observes only once. */
export function withReadRetries(gateway: GatewayReader, deps: Omit<RetryReadDeps, 'signal'>): GatewayReader {
  const retry = <T>(signal: AbortSignal, readOnce: () => Promise<ReadResult<T>>) => retryRead(readOnce, { ...deps, signal });
  return {
    identity: gateway.identity,
    listApis: (signal) => retry(signal, () => gateway.listApis(signal)),
    getApi: (apiId, signal) => retry(signal, () => gateway.getApi(apiId, signal)),
    listEnvironments: (signal) => retry(signal, () => gateway.listEnvironments(signal)),
    listVersions: (publication, signal) => retry(signal, () => gateway.listVersions(publication, signal)),
    listApiVersions: (apiId, signal) => retry(signal, () => gateway.listApiVersions(apiId, signal)),
    close: () => gateway.close(),
  };
}
