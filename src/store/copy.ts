import type { Query } from '../../generated/store-queries.d.ts';
import { EdictError, StoreError } from '../model/errors.ts';
import { bindQuery, type Database, type StoreFill, type StoreKind } from './database.ts';
import { openFill, openSnapshot, toDisplayUrl } from './open.ts';
import type { SqlRow } from './rows.ts';

/** Rows read and written at once; bounds the memory of a copy. */
const pageSize = 500;

/** Ordered by foreign key: each table follows the tables it references. */
const tables = ['Gateway', 'Approval', 'Attempt', 'Publication', 'Name', 'Declared'] as const;

/** The number of copied rows, and the processes that were using the source store. */
export interface CopyCounts {
  readonly gateways: number;
  readonly publications: number;
  readonly attempts: number;
  /** Lease holders when the copy began. Changes they recorded since are not in the copy. */
  readonly holders: readonly string[];
}

/**
 * Copies a snapshot of the store at `url` into the empty store `to`. Processes that use the source keep running. The copy is atomic: if it
 * fails or is killed, `to` stays empty.
 *
 * @throws EdictError `STORE_*` if a store cannot be opened, `STORE_NOT_EMPTY` if `to` has gateways, `OPTION_INVALID` if both URLs name the same store
 */
export async function copyStore(url: string, to: string): Promise<CopyCounts> {
  const name = await toDisplayUrl(to);
  if ((await toDisplayUrl(url)) === name)
    throw new EdictError('OPTION_INVALID', `${name} is the store itself`, { hint: 'name another store' });
  const from = await openSnapshot(url);
  try {
    const [kind] = await from.read(bindQuery(from.queries.readSetting, { name: 'gateways' }));
    // Read the holders first: a lease in the snapshot expires while the rows are copied.
    const holders = await holdersIn(from);
    const target = await openFill(to, (kind?.['value'] ?? 'real') as StoreKind);
    try {
      const copied = await copyRows(from, target);
      await target.commit();
      return { ...copied, holders };
    } finally {
      await target.close();
    }
  } finally {
    await from.close();
  }
}

async function holdersIn(from: Database): Promise<readonly string[]> {
  const gateways = await from.read(bindQuery(from.queries.rowsOfGateway, { after: 0, limit: maxGateways }));
  const holders = await Promise.all(gateways.map((row) => from.leaseHolder(Number(row['id']))));
  return [...new Set(holders.flatMap((holder) => holder ?? []))];
}

/** The number of gateways whose lease holders are read. Holders of further gateways are missing from the result. */
const maxGateways = 10_000;

/**
 * Copies every row with its ID, except leases and controller status, and the addresses that were accepted: without them, a daemon would take the copy
 * for a new store, and accept whatever its files name.
 */
async function copyRows(from: Database, to: StoreFill): Promise<Omit<CopyCounts, 'holders'>> {
  const existing = await to.run(bindQuery(to.queries.rowsOfGateway, { after: 0, limit: 1 }));
  if (existing.length + (await to.run(bindQuery(to.queries.rowsOfAccepted, {}))).length > 0) {
    throw new StoreError('STORE_NOT_EMPTY', `the store ${to.displayUrl} is not empty`, {
      hint: 'nothing was copied; name an empty store',
    });
  }
  const counts = new Map<string, number>();
  for (const table of tables) {
    const [rowsOf, copy] = [from.queries[`rowsOf${table}`] as Query<string>, to.queries[`copy${table}`] as Query<string>];
    const isPaged = rowsOf.parameters.length > 0;
    let count = 0;
    for (let after = 0; ; ) {
      const rows = await from.read(bindQuery(rowsOf, isPaged ? { after, limit: pageSize } : {}));
      for (let start = 0; start < rows.length; start += pageSize) {
        await Promise.all(rows.slice(start, start + pageSize).map((row) => to.run(bindQuery(copy, toValues(row)))));
      }
      count += rows.length;
      after = Number(rows.at(-1)?.['id']);
      if (!isPaged || rows.length < pageSize) break;
    }
    if (isPaged) await to.run(bindQuery(to.queries[`continue${table as 'Gateway' | 'Approval' | 'Attempt' | 'Publication'}`], {}));
    counts.set(table, count);
  }
  for (const { name, value } of await from.read(bindQuery(from.queries.rowsOfAccepted, {})))
    await to.run(bindQuery(to.queries.insertSetting, { name: String(name), value: String(value) }));
  const of = (table: (typeof tables)[number]): number => counts.get(table) ?? 0;
  return { gateways: of('Gateway'), publications: of('Publication'), attempts: of('Attempt') };
}

function toValues(row: SqlRow): Readonly<Record<string, string | number | null>> {
  return row as Readonly<Record<string, string | number | null>>;
}
