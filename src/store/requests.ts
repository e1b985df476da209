import { randomUUID } from 'node:crypto';
import type { NewApproval } from '../model/approval.ts';
import type { GatewayIdentity } from '../model/publication.ts';
import { bindQuery } from './database.ts';
import { openShared } from './open.ts';
import { toReconcileRequestKey } from './readonly-store.ts';

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

/**
 * Writes an approval into a store that another edict may have: it changes nothing that the other one has in hand.
 *
 * @throws EdictError `STORE_*` for a store that this edict cannot or must not write, or that is of another format than its own
 */
export async function writeApproval(url: string, { endpoint, project, instance }: GatewayIdentity, approval: NewApproval): Promise<void> {
  const database = await openShared(url);
  try {
    const { insertGateway, insertApproval } = database.queries;
    const { digest, by, reason, approvedAtMs, expiresAtMs, scope } = approval;
    await database.write([
      bindQuery(insertGateway, { endpoint, project, instance }),
      bindQuery(insertApproval, {
        endpoint,
        project,
        instance,
        digest,
        by,
        why: reason,
        atMs: approvedAtMs,
        expiresAtMs,
        work: JSON.stringify(scope),
      }),
    ]);
  } finally {
    await database.close();
  }
}
