import { EdictError } from '../core/errors.ts';
import type { NewApproval } from '../core/guards.ts';
import type { GatewayIdentity } from '../core/publication.ts';
import { currentVersion } from './migrations.ts';
import { openForReading, pathOf } from './open-store.ts';
import { explained } from './store-error.ts';

/**
 * Writes an approval into a store that another edict may have: it changes nothing that the other one has in hand.
 *
 * @throws EdictError `STORE_*` for a store that this edict cannot or must not write, or that is of another format than its own
 */
export async function writeApproval(url: string, gateway: GatewayIdentity, approval: NewApproval): Promise<void> {
  const path = pathOf(url);
  explained(path, () => {
    const { db, version } = openForReading(path);
    try {
      if (version !== currentVersion) {
        throw new EdictError('STORE_OLDER', `the store ${path} was written by an older edict`, {
          hint: 'run `edict apply` or the daemon of this version first',
        });
      }
      db.exec('PRAGMA query_only = OFF; PRAGMA synchronous = FULL');
      const { endpoint, project, instance } = gateway;
      const { digest, by, why, atMs, expiresAtMs, work } = approval;
      db.prepare('INSERT OR IGNORE INTO gateway (endpoint, project, instance) VALUES (?, ?, ?)').run(endpoint, project, instance);
      db.prepare(insertApproval).run(digest, by, why, atMs, expiresAtMs, JSON.stringify(work), endpoint, project, instance);
    } finally {
      db.close();
    }
  });
}

const insertApproval = `
  INSERT INTO approval (gateway_id, digest, approved_by, why, at_ms, expires_at_ms, work)
  SELECT id, ?, ?, ?, ?, ?, ? FROM gateway WHERE endpoint = ? AND project = ? AND instance = ?`;
