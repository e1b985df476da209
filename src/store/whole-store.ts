import { EdictError } from '../core/errors.ts';
import type { GatewayIdentity } from '../core/publication.ts';
import { type Closed, close, closedOf, refuseClosed } from './closed.ts';
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
    await refuseClosed(database, await nameOf(url));
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
  const names = await namesOf(url, to);
  const from = await openSnapshot(url);
  try {
    await refuseClosed(from, names.from);
    return await withTarget(from, to, names, async (target) => {
      const copied = await fill(from, target, names);
      await close(target, null);
      return copied;
    });
  } finally {
    await from.close();
  }
}

/**
 * Moves the record of a store into the empty store `to`. No edict may work with either; from the first moment on the old one is refused
 * by all, and names the new one. Moved again after it was interrupted, it is moved as a whole.
 *
 * @throws EdictError `STORE_*` if one of the two cannot be opened, `STORE_NOT_EMPTY` if `to` holds another record
 */
export async function moveRecord(url: string, to: string): Promise<Copied> {
  const names = await namesOf(url, to);
  await (await openSnapshot(url)).close();
  const from = await openWhole(url, null);
  try {
    const before = await closedOf(from);
    if (!isTo(before, 'moved', names.to)) await refuseClosed(from, names.from);
    return await withTarget(from, to, names, async (target) => {
      await close(target, { why: 'copying', at: names.from });
      await close(from, { why: 'moved', at: names.to });
      try {
        const copied = await fill(from, target, names);
        await close(target, null);
        return copied;
      } catch (error) {
        await close(from, null);
        throw error;
      }
    });
  } finally {
    await from.close();
  }
}

interface Names {
  readonly from: string;
  readonly to: string;
}

async function namesOf(url: string, to: string): Promise<Names> {
  const names = { from: await nameOf(url), to: await nameOf(to) };
  if (names.from !== names.to) return names;
  throw new EdictError('OPTION', `${names.to} is the store itself`, { hint: 'name another store' });
}

async function withTarget(from: Database, to: string, names: Names, use: (target: Database) => Promise<Copied>): Promise<Copied> {
  const [row] = await from.read(step(from.queries.readSetting, { name: 'gateways' }));
  const target = await openWhole(to, (row?.['value'] ?? 'real') as Kind);
  try {
    const closed = await closedOf(target);
    const isOurs = isTo(closed, 'copying', names.from) || isTo(closed, 'moved', names.from);
    const isEmpty = (await target.read(step(target.queries.gateways, {}))).length === 0;
    if (!isOurs) await refuseClosed(target, names.to);
    if (!isOurs && !isEmpty) {
      throw new EdictError('STORE_NOT_EMPTY', `the store ${names.to} holds a record already`, {
        hint: 'nothing was copied; name a new one',
      });
    }
    return await use(target);
  } finally {
    await target.close();
  }
}

async function fill(from: Database, target: Database, names: Names): Promise<Copied> {
  await close(target, { why: 'copying', at: names.from });
  await clearRecord(target);
  return copyRecord(from, target);
}

function isTo(closed: Closed | null, why: Closed['why'], at: string): boolean {
  return closed?.why === why && closed.at === at;
}
