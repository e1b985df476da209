import { EdictError } from '../core/errors.ts';
import type { GatewayIdentity } from '../core/publication.ts';
import { type Closed, close, closedOf, closeEmpty, refuseClosed } from './closed.ts';
import { type Copied, clearRecord, copyRecord } from './copy-store.ts';
import { type Database, type Kind, step } from './database.ts';
import { nameOf, openSnapshot, openWhole } from './open-store.ts';
import { identityOf } from './rows.ts';

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
    await refuseClosed(database);
    const rows = await database.read(step(database.queries.gateways, {}));
    return await Promise.all(
      rows.map(async (row) => ({
        ...identityOf(row),
        publications: Number(row['publications']),
        attempts: Number(row['attempts']),
        firstAttemptAtMs: row['first_at_ms'] === null ? null : Number(row['first_at_ms']),
        holder: await database.holder(Number(row['id'])),
      })),
    );
  } finally {
    await database.close();
  }
}

/**
 * Copies the record of a store, as it is now, into the empty store `to`; whoever works with the first one goes on.
 *
 * @throws EdictError `STORE_*` if one of the two cannot be opened, `STORE_NOT_EMPTY` if `to` holds another record
 */
export async function backUp(url: string, to: string): Promise<Copied> {
  await refuseItself(url, to);
  const from = await openSnapshot(url);
  try {
    await refuseClosed(from);
    return await fill(to, from, ['copying'], (target) => copyInto(target, from));
  } finally {
    await from.close();
  }
}

/**
 * Moves the record of a store into the empty store `to`, or back into the one that it was moved away from. No edict may work with either;
 * from the first moment on the old one is refused by all, and names the new one. Moved again after it was interrupted, it is moved as a
 * whole.
 *
 * @throws EdictError `STORE_*` if one of the two cannot be opened, `STORE_NOT_EMPTY` if `to` holds another record
 */
export async function moveRecord(url: string, to: string): Promise<Copied> {
  await refuseItself(url, to);
  await (await openSnapshot(url)).close();
  const from = await openWhole(url, null);
  try {
    const before = await closedOf(from);
    if (before?.why !== 'moved' || before.at !== (await nameOf(to))) await refuseClosed(from);
    return await fill(to, from, ['copying', 'moved'], async (target) => {
      // Under the lock that whoever takes a lease waits for: what was written until now is copied, and nothing is written after.
      await close(from, { why: 'moved', at: target.name });
      try {
        return await copyInto(target, from);
      } catch (error) {
        // The new one stays closed, so that never two are open. Where this fails too the old one does as well: it can be moved again.
        await close(from, null).catch(() => {});
        throw error;
      }
    });
  } finally {
    await from.close();
  }
}

async function refuseItself(url: string, to: string): Promise<void> {
  const name = await nameOf(to);
  if ((await nameOf(url)) === name) throw new EdictError('OPTION', `${name} is the store itself`, { hint: 'name another store' });
}

/**
 * Has `copy` fill the store `to`, which is closed meanwhile and stays so if that fails. It must be empty, or closed with the name of
 * `from` for a reason that is in `replaces`.
 */
async function fill(
  to: string,
  from: Database,
  replaces: readonly Closed['why'][],
  copy: (target: Database) => Promise<Copied>,
): Promise<Copied> {
  const [row] = await from.read(step(from.queries.readSetting, { name: 'gateways' }));
  const target = await openWhole(to, (row?.['value'] ?? 'real') as Kind);
  try {
    const before = await closedOf(target);
    const copying: Closed = { why: 'copying', at: from.name };
    if (before?.at === from.name && replaces.includes(before.why)) await close(target, copying);
    else {
      await refuseClosed(target);
      if (!(await closeEmpty(target, copying))) throw await notEmpty(target, from);
    }
    const copied = await copy(target);
    await close(target, null);
    return copied;
  } finally {
    await target.close();
  }
}

async function copyInto(target: Database, from: Database): Promise<Copied> {
  await clearRecord(target);
  return copyRecord(from, target);
}

/** Rejects with an EdictError `STORE_CLOSED` if the record is there since an earlier move, whose end was not heard of. */
async function notEmpty(target: Database, from: Database): Promise<EdictError> {
  await refuseClosed(from);
  return new EdictError('STORE_NOT_EMPTY', `the store ${target.name} holds a record already`, {
    hint: 'nothing was copied; name a new one',
  });
}
