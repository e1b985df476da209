import type { GatewayIdentity } from '../model/gateway.ts';
import { bindQuery } from './database.ts';
import { openSnapshot } from './open.ts';
import { toGatewayIdentity } from './rows.ts';

/** A gateway in a store. Times are in milliseconds since 1970. */
export interface KnownGateway extends GatewayIdentity {
  /** Publications with recorded state. */
  readonly publications: number;
  readonly attempts: number;
  /** `null` if there are no attempts. */
  readonly firstAttemptAtMs: number | null;
  /** The current lease holder; `null` if none is known. */
  readonly holder: string | null;
}

/** Returns the gateways in a store. Throws an EdictError `STORE_*` if the store cannot be read. */
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
