import type { Query } from '../../generated/store-queries.d.ts';
import { type Database, step } from './database.ts';
import type { Row } from './rows.ts';

/** So many rows are read, and written, at once. */
const pageSize = 500;

/** In an order in which each table comes after those that it refers to. */
const tables = ['Gateway', 'Approval', 'Attempt', 'Publication', 'Name', 'Declared'] as const;

/** How much was copied. */
export interface Copied {
  readonly gateways: number;
  readonly publications: number;
  readonly attempts: number;
}

/** Copies every row of a record, its IDs too, into a store that has none. Leases and what processes said of themselves are left out. */
export async function copyRecord(from: Database, to: Database): Promise<Copied> {
  const counts = new Map<string, number>();
  for (const table of tables) {
    const [rowsOf, copy] = [from.queries[`rowsOf${table}`] as Query<string>, to.queries[`copy${table}`] as Query<string>];
    const isPaged = rowsOf.parameters.length > 0;
    let count = 0;
    for (let after = 0; ; ) {
      const rows = await from.read(step(rowsOf, isPaged ? { after, limit: pageSize } : {}));
      for (let start = 0; start < rows.length; start += pageSize) {
        await to.write(rows.slice(start, start + pageSize).map((row) => step(copy, valuesOf(row))));
      }
      count += rows.length;
      after = Number(rows.at(-1)?.['id']);
      if (!isPaged || rows.length < pageSize) break;
    }
    if (isPaged) await to.read(step(to.queries[`continue${table as 'Gateway' | 'Approval' | 'Attempt' | 'Publication'}`], {}));
    counts.set(table, count);
  }
  const of = (table: (typeof tables)[number]): number => counts.get(table) ?? 0;
  return { gateways: of('Gateway'), publications: of('Publication'), attempts: of('Attempt') };
}

/** Deletes every row of a record in a store that was opened as a whole. Rejects with an EdictError `STORE_LOCKED` if a lease is held. */
export async function clearRecord(database: Database): Promise<void> {
  await database.writeAlone(tables.toReversed().map((table) => step(database.queries[`clear${table}`], {})));
}

function valuesOf(row: Row): Readonly<Record<string, string | number | null>> {
  return row as Readonly<Record<string, string | number | null>>;
}
