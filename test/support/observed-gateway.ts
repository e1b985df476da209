import type { GatewayIdentity } from '../../src/model/gateway.ts';
import type { Store } from '../../src/store/interface.ts';
import { openStore } from '../../src/store/open.ts';
import { lastObservation, savedObservation } from './states.ts';

/** Records in `store` that the gateway was observed once and had nothing online, so that `refresh: never` holds nothing. */
export async function recordEmptyGateway(store: Store, gateway: GatewayIdentity): Promise<void> {
  await store.saveObservation(gateway, savedObservation([], lastObservation(0)));
}

/** Does the same in a store that is not open, and closes it. The gateway is `project` and `instance` at `endpoint` unless `over` says otherwise. */
export async function recordEmptyGatewayAt(storeUrl: string, endpoint: string, over: Partial<GatewayIdentity> = {}): Promise<void> {
  const gateway = { endpoint, project: 'project', instance: 'instance', ...over };
  const store = await openStore({ url: storeUrl, isEmulated: false });
  try {
    await store.acquire(gateway, Date.now());
    await recordEmptyGateway(store, gateway);
    await store.release(gateway, Date.now());
  } finally {
    await store.close();
  }
}
