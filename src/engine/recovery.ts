import type { Clock, Gateway } from '../core/ports.ts';
import type { DesiredPublication } from '../core/publication.ts';
import type { Traffic } from './traffic.ts';

/** How often the gateway is asked during an outage, in milliseconds: its end is noticed within two seconds. */
const probeEveryMs = 1000;

/** How often refused credentials are looked at, in milliseconds. */
const lookEveryMs = 1000;

export interface RecoveryDeps {
  readonly gateway: Pick<Gateway, 'versions' | 'credentialsChanged'>;
  readonly clock: Pick<Clock, 'sleep'>;
  readonly traffic: Pick<Traffic, 'stopped' | 'go'>;
}

/** Asks for something harmless once in a while, until an answer ends the outage. */
export async function probe(publication: DesiredPublication | undefined, deps: RecoveryDeps, signal: AbortSignal): Promise<void> {
  const { gateway, clock, traffic } = deps;
  while (traffic.stopped?.why === 'outage' && publication && !signal.aborted) {
    await clock.sleep(probeEveryMs, signal);
    await gateway.versions(publication, signal);
  }
}

/** Lets calls go on when the credentials are others. */
export async function awaitCredentials({ gateway, clock, traffic }: RecoveryDeps, signal: AbortSignal): Promise<void> {
  while (!signal.aborted && !gateway.credentialsChanged()) await clock.sleep(lookEveryMs, signal);
  if (!signal.aborted) traffic.go('credentials');
}
