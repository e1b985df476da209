import { randomUUID } from 'node:crypto';
import type { GatewayIdentity } from '../core/publication.ts';
import { bindQuery } from './database.ts';
import { openShared } from './open-store.ts';
import { toReconcileRequestKey } from './stored-record.ts';

/**
 * Asks the edict that has the lease of the gateway to look at its file now and to try once more what it has put off or given up. Says
 * nothing of what is to be done, and changes nothing that the other one has in hand.
 *
 * @throws EdictError `STORE_*` for a store that this edict cannot or must not write, or that is of another format than its own
 */
export async function requestReconcile(url: string, gateway: GatewayIdentity): Promise<void> {
  const database = await openShared(url);
  try {
    const { deleteSetting, insertSetting } = database.queries;
    const name = toReconcileRequestKey(gateway);
    await database.write([bindQuery(deleteSetting, { name }), bindQuery(insertSetting, { name, value: randomUUID() })]);
  } finally {
    await database.close();
  }
}
