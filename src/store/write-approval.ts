import { EdictError } from '../core/errors.ts';
import type { NewApproval } from '../core/guards.ts';
import type { GatewayIdentity } from '../core/publication.ts';
import { type Database, step } from './database.ts';
import { currentVersion } from './migrations.ts';
import { openForReading, pathOf } from './open-store.ts';
import { SqliteDatabase } from './sqlite-database.ts';
import { explained } from './store-error.ts';

/**
 * Writes an approval into a store that another edict may have: it changes nothing that the other one has in hand.
 *
 * @throws EdictError `STORE_*` for a store that this edict cannot or must not write, or that is of another format than its own
 */
export async function writeApproval(url: string, { endpoint, project, instance }: GatewayIdentity, approval: NewApproval): Promise<void> {
  const database = openBeside(pathOf(url));
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

function openBeside(path: string): Database {
  return explained(path, () => {
    const { db, version } = openForReading(path);
    if (version !== currentVersion) {
      db.close();
      throw new EdictError('STORE_OLDER', `the store ${path} was written by an older edict`, {
        hint: 'run `edict apply` or the daemon of this version first',
      });
    }
    db.exec('PRAGMA query_only = OFF; PRAGMA synchronous = FULL');
    return new SqliteDatabase(db, path);
  });
}
