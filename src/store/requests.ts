import { randomUUID } from 'node:crypto';
import type { NewApproval } from '../model/approval.ts';
import type { Suspension } from '../model/desired-state.ts';
import { StoreError, StoreLockedError } from '../model/errors.ts';
import type { GatewayIdentity } from '../model/gateway.ts';
import { bindQuery, type Database, type StoreOptions } from './database.ts';
import { openShared, openStore } from './open.ts';

/**
 * Asks the lease holder of the gateway to load its file now and to retry changes in backoff and rejected changes. The request carries no
 * data and does not touch attempts in flight.
 *
 * @throws EdictError `STORE_*` if the store cannot be written or has another format
 */
export async function requestReconcile(url: string, gateway: GatewayIdentity): Promise<void> {
  const database = await openShared(url);
  try {
    const { insertGateway, request } = database.queries;
    const { endpoint, project, instance } = gateway;
    await database.write([
      bindQuery(insertGateway, { endpoint, project, instance }),
      bindQuery(request, { endpoint, project, instance, request: randomUUID() }),
    ]);
  } finally {
    await database.close();
  }
}

/**
 * Writes a suspension, or with `null` removes it, and asks the lease holder to reconcile, without a lease. Creates the store if it is
 * missing: calls can be suspended before any other command has run.
 *
 * @throws EdictError `STORE_*` if the store cannot be written or has another format
 */
export async function writeSuspension(
  options: Pick<StoreOptions, 'url' | 'isEmulated'>,
  gateway: GatewayIdentity,
  suspension: Suspension | null,
): Promise<void> {
  const database = await openOrCreateShared(options);
  try {
    const { endpoint, project, instance } = gateway;
    const { insertGateway, findGateway, suspend, request } = database.queries;
    await database.write([bindQuery(insertGateway, { endpoint, project, instance })]);
    const [row] = await database.read(bindQuery(findGateway, { endpoint, project, instance }));
    await database.write([
      bindQuery(suspend, { gateway: Number(row?.['id']), suspension: suspension && JSON.stringify(suspension) }),
      bindQuery(request, { endpoint, project, instance, request: randomUUID() }),
    ]);
  } finally {
    await database.close();
  }
}

/** How long a process that is creating the store at the same time may take, in milliseconds. */
const creationTimeoutMs = 2000;

async function openOrCreateShared(options: Pick<StoreOptions, 'url' | 'isEmulated'>): Promise<Database> {
  try {
    return await openShared(options.url);
  } catch (error) {
    if (!(error instanceof StoreError) || error.code !== 'STORE_NOT_FOUND') throw error;
  }
  try {
    await (await openStore({ ...options, lockTimeoutMs: creationTimeoutMs })).close();
  } catch (error) {
    if (!(error instanceof StoreLockedError)) throw error;
  }
  return openShared(options.url);
}

/**
 * Writes an approval without a lease. It does not touch attempts that another process has in flight. Creates the store if it is missing:
 * first contact can be approved before any other command has written.
 *
 * @throws EdictError `STORE_*` if the store cannot be written or has another format
 */
export async function writeApproval(
  options: Pick<StoreOptions, 'url' | 'isEmulated'>,
  { endpoint, project, instance }: GatewayIdentity,
  approval: NewApproval,
): Promise<void> {
  const database = await openOrCreateShared(options);
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
