import type { Query } from '../../generated/store-queries.d.ts';
import { EdictError, StoreError } from '../model/errors.ts';
import { bindQuery, type Database, type StoreFill, type StoreKind } from './database.ts';
import { openFill, openSnapshot, toDisplayUrl } from './open.ts';
import type { SqlRow } from './rows.ts';

/** So many rows are read, and written, at once: it bounds the memory that a copy takes. */
const pageSize = 500;

/** In an order in which each table comes after those that it refers to. */
const tables = ['Gateway', 'Approval', 'Attempt', 'Publication', 'Name', 'Declared'] as const;

/** How much was copied, and who was using the store meanwhile. */
export interface CopyCounts {
  readonly gateways: number;
  readonly publications: number;
  readonly attempts: number;
  /** The holders of leases in the store when the copy began: they may have recorded changes since, which are not in the copy. */
  readonly holders: readonly string[];
}

/**
 * Copies a store, as it is now, into the empty store `to`. Processes that use the first one go on. The copy appears as a whole or not at
 * all: one that fails or is killed leaves `to` empty.
 *
 * @throws EdictError `STORE_*` if one of the two cannot be opened, `STORE_NOT_EMPTY` if `to` has a record, `OPTION_INVALID` if both are the same
 */
export async function copyStore(url: string, to: string): Promise<CopyCounts> {
  const name = await toDisplayUrl(to);
  if ((await toDisplayUrl(url)) === name)
    throw new EdictError('OPTION_INVALID', `${name} is the store itself`, { hint: 'name another store' });
  const from = await openSnapshot(url);
  try {
    const [kind] = await from.read(bindQuery(from.queries.readSetting, { name: 'gateways' }));
    // First of all: a lease in the snapshot lapses while it is read.
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
  const gateways = await from.read(bindQuery(from.queries.rowsOfGateway, { after: 0, limit: mostGateways }));
  const holders = await Promise.all(gateways.map((row) => from.leaseHolder(Number(row['id']))));
  return [...new Set(holders.flatMap((holder) => holder ?? []))];
}

/** The holders of more gateways are not asked for: one that holds a lease there only goes unnamed. */
const mostGateways = 10_000;

/** Copies every row with its ID. Leases, and what processes said of themselves, are left out. */
async function copyRows(from: Database, to: StoreFill): Promise<Omit<CopyCounts, 'holders'>> {
  const present = await to.run(bindQuery(to.queries.rowsOfGateway, { after: 0, limit: 1 }));
  if (present.length > 0) {
    throw new StoreError('STORE_NOT_EMPTY', `the store ${to.displayUrl} has a record already`, {
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
  const of = (table: (typeof tables)[number]): number => counts.get(table) ?? 0;
  return { gateways: of('Gateway'), publications: of('Publication'), attempts: of('Attempt') };
}

function toValues(row: SqlRow): Readonly<Record<string, string | number | null>> {
  return row as Readonly<Record<string, string | number | null>>;
}
