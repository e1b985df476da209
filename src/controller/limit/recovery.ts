import type { Clock, Gateway } from '../../model/ports.ts';
import type { DesiredPublication } from '../../model/publication.ts';
import type { RateLimiter } from './rate-limiter.ts';

/** Polling interval during an outage, in milliseconds: its end is noticed within two seconds. */
const probeIntervalMs = 1000;

/** Interval between checks for new credentials, in milliseconds. */
const credentialsPollMs = 1000;

export interface RecoveryDeps {
  readonly gateway: Pick<Gateway, 'listVersions' | 'hasNewCredentials'>;
  readonly clock: Pick<Clock, 'sleep'>;
  readonly rateLimiter: Pick<RateLimiter, 'stopped' | 'resume'>;
}

/** Polls the gateway with a read until an answer ends the outage. */
export async function pollDuringOutage(
  publication: DesiredPublication | undefined,
  deps: RecoveryDeps,
  signal: AbortSignal,
): Promise<void> {
  const { gateway, clock, rateLimiter } = deps;
  while (rateLimiter.stopped?.reason === 'outage' && publication && !signal.aborted) {
    await clock.sleep(probeIntervalMs, signal);
    await gateway.listVersions(publication, signal);
  }
}

/** Resumes requests when the credentials have changed. */
export async function resumeOnNewCredentials({ gateway, clock, rateLimiter }: RecoveryDeps, signal: AbortSignal): Promise<void> {
  while (!signal.aborted && !gateway.hasNewCredentials()) await clock.sleep(credentialsPollMs, signal);
  if (!signal.aborted) rateLimiter.resume('credentials');
}
