import type { GatewayIdentity } from '../model/publication.ts';
import { bindQuery } from './database.ts';
import { openSnapshot } from './open.ts';
import { toGatewayIdentity } from './rows.ts';

/** What a store knows of a gateway. Times are milliseconds since 1970. */
export interface KnownGateway extends GatewayIdentity {
  /** Publications of which something is recorded. */
  readonly publications: number;
  readonly attempts: number;
  /** `null`: there is no attempt. */
  readonly firstAttemptAtMs: number | null;
  /** Which edict works on it now; `null` if none does, as far as can be told from here. */
  readonly holder: string | null;
}

/** Returns the gateways that a store has a record of. Throws an EdictError `STORE_*` for one that cannot be read. */
export async function listGateways(url: string): Promise<readonly KnownGateway[]> {
  const database = await openSnapshot(url);
  try {
    const rows = await database.read(bindQuery(database.queries.gateways, {}));
    return await Promise.all(
      rows.map(async (row) => ({
        ...toGatewayIdentity(row),
        publications: Number(row['publications']),
        attempts: Number(row['attempts']),
        firstAttemptAtMs: row['first_at_ms'] === null ? null : Number(row['first_at_ms']),
        holder: await database.leaseHolder(Number(row['id'])),
      })),
    );
  } finally {
    await database.close();
  }
}
