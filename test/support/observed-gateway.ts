import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { GatewayIdentity } from '../../src/model/gateway.ts';
import type { Store } from '../../src/store/interface.ts';
import { openStore } from '../../src/store/open.ts';
import { lastObservation, savedObservation } from './states.ts';

/** Records in `store` that the gateway was observed once and had nothing online, so that `refresh: never` holds nothing. */
export async function recordEmptyGateway(store: Store, gateway: GatewayIdentity): Promise<void> {
  await store.saveObservation(gateway, savedObservation([], lastObservation(0, { observedAtMs: Date.now() })));
}

/** Does the same in the store at `storeUrl`, which is not open. The gateway is `project` and `instance` at `endpoint` unless `over` says otherwise. */
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

/** Does the same in the default store of the files in `folder`: commands make no reads there, since the observation is a new one. */
export async function recordEmptyGatewayIn(folder: string, endpoint: string, over: Partial<GatewayIdentity> = {}): Promise<void> {
  mkdirSync(join(folder, '.edict'), { recursive: true });
  await recordEmptyGatewayAt(`sqlite:${join(folder, '.edict/state.db')}`, endpoint, over);
}
