import type { NewApproval } from '../core/guards.ts';
import type { GatewayIdentity } from '../core/publication.ts';
import { bindQuery } from './database.ts';
import { openShared } from './open-store.ts';

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
