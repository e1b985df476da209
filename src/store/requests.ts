import { randomUUID } from 'node:crypto';
import type { NewApproval } from '../model/approval.ts';
import type { GatewayIdentity } from '../model/gateway.ts';
import { bindQuery } from './database.ts';
import { openShared } from './open.ts';
import { toReconcileRequestKey } from './readonly-store.ts';

/**
 * Asks the lease holder of the gateway to load its file now and to retry changes in backoff and rejected changes. The request carries no
 * data and does not touch attempts in flight.
 *
 * @throws EdictError `STORE_*` if the store cannot be written or has another format
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
 * Writes an approval without a lease. It does not touch attempts that another process has in flight.
 *
 * @throws EdictError `STORE_*` if the store cannot be written or has another format
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
        reason,
        atMs: approvedAtMs,
        expiresAtMs,
        scope: JSON.stringify(scope),
      }),
    ]);
  } finally {
    await database.close();
  }
}
