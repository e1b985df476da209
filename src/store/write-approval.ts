import type { NewApproval } from '../core/guards.ts';
import type { GatewayIdentity } from '../core/publication.ts';
import { step } from './database.ts';
import { openBeside } from './open-store.ts';

/**
 * Writes an approval into a store that another edict may have: it changes nothing that the other one has in hand.
 *
 * @throws EdictError `STORE_*` for a store that this edict cannot or must not write, or that is of another format than its own
 */
export async function writeApproval(url: string, { endpoint, project, instance }: GatewayIdentity, approval: NewApproval): Promise<void> {
  const database = await openBeside(url);
  try {
    const { insertGateway, insertApproval } = database.queries;
    const { digest, by, why, atMs, expiresAtMs, work } = approval;
    await database.write([
      step(insertGateway, { endpoint, project, instance }),
      step(insertApproval, { endpoint, project, instance, digest, by, why, atMs, expiresAtMs, work: JSON.stringify(work) }),
    ]);
  } finally {
    await database.close();
  }
}
