import { EdictError } from '../core/errors.ts';
import { type Database, step } from './database.ts';

/**
 * Why a store must not be used: its record is in another one now, `at`, or it holds a part of the one at `at` until the copying has
 * ended. Both are addresses without a password.
 */
export interface Closed {
  readonly why: 'moved' | 'copying';
  readonly at: string;
}

const setting = 'closed';

/** Returns why a store is closed; `null` if it is not. */
export async function closedOf(database: Database): Promise<Closed | null> {
  const [row] = await database.read(step(database.queries.readSetting, { name: setting }));
  return row ? (JSON.parse(String(row['value'])) as Closed) : null;
}

/**
 * Closes a store that was opened as a whole, for everybody; `null` opens it again. What was written under a lease was written before, and
 * nothing is after. Rejects with an EdictError `STORE_LOCKED` if an edict has a lease.
 */
export async function close(database: Database, closed: Closed | null): Promise<void> {
  const { deleteSetting, insertSetting } = database.queries;
  const written = closed ? [step(insertSetting, { name: setting, value: JSON.stringify(closed) })] : [];
  await database.writeAlone([step(deleteSetting, { name: setting }), ...written]);
}

/** Closes an open store that has a record of no gateway. Returns whether it did; one with a record stays as it is. Rejects as `close`. */
export async function closeEmpty(database: Database, closed: Closed): Promise<boolean> {
  const [rows] = await database.writeAlone([step(database.queries.closeEmpty, { value: JSON.stringify(closed) })]);
  return rows?.length === 1;
}

/** Throws an EdictError `STORE_CLOSED` if the store is closed. */
export async function refuseClosed(database: Database): Promise<void> {
  const closed = await closedOf(database);
  if (closed === null) return;
  const { why, at } = closed;
  throw why === 'moved'
    ? new EdictError('STORE_CLOSED', `the record of the store ${database.name} was moved to ${at}`, {
        hint: `name that one: --state ${at}`,
      })
    : new EdictError('STORE_CLOSED', `the store ${database.name} holds a part of the record of ${at} only: the copying did not end`, {
        hint: `run the same \`edict state\` command again`,
      });
}
