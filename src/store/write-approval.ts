import { EdictError } from '../core/errors.ts';
import type { NewApproval } from '../core/guards.ts';
import type { GatewayIdentity } from '../core/publication.ts';
import { refuseClosed } from './closed.ts';
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
    const [, inserted] = await database.write([
      step(insertGateway, { endpoint, project, instance }),
      step(insertApproval, { endpoint, project, instance, digest, by, why, atMs, expiresAtMs, work: JSON.stringify(work) }),
    ]);
    // Its record may have begun to be moved since it was opened.
    if (inserted?.length === 1) return;
    await refuseClosed(database);
    throw new EdictError('STORE_CLOSED', `the store ${database.name} was being moved`, { hint: 'run the same command again' });
  } finally {
    await database.close();
  }
}
