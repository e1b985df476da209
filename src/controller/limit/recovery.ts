import type { Gateway } from '../../gateway/interface.ts';
import type { Clock } from '../../model/clock.ts';
import type { RateLimiter } from './rate-limiter.ts';

/** Polling interval during an outage, in milliseconds: its end is noticed within two seconds. */
const probeIntervalMs = 1000;

/** Interval between checks for new credentials, in milliseconds. */
const credentialsPollMs = 1000;

export interface RecoveryDeps {
  readonly gateway: Pick<Gateway, 'listEnvironments' | 'hasNewCredentials'>;
  readonly clock: Pick<Clock, 'sleep'>;
  readonly rateLimiter: Pick<RateLimiter, 'isPausedFor' | 'resume'>;
  /** Polls until an outage counts as lasting; for a daemon no limit. */
  readonly maxTries: number;
}

/**
 * Polls the gateway until an answer ends the outage, with a read that depends on no publication: the requests of a single API may hang
 * or break while the gateway is well. Resolves to whether the outage has ended; `maxTries` polls without an end, or an abort, leave it.
 */
export async function pollDuringOutage({ gateway, clock, rateLimiter, maxTries }: RecoveryDeps, signal: AbortSignal): Promise<boolean> {
  for (let tries = 0; rateLimiter.isPausedFor('outage') && !signal.aborted; tries += 1) {
    if (tries >= maxTries) return false;
    await clock.sleep(probeIntervalMs, signal);
    await gateway.listEnvironments(signal);
  }
  return !signal.aborted;
}

/** Resumes requests when the credentials have changed. */
export async function resumeOnNewCredentials(
  { gateway, clock, rateLimiter }: Omit<RecoveryDeps, 'maxTries'>,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted && !gateway.hasNewCredentials()) await clock.sleep(credentialsPollMs, signal);
  if (!signal.aborted) rateLimiter.resume('credentials');
}
