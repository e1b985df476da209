import { join } from 'node:path';
import type { Fixture } from './fixture.ts';
import type { LoadTimes } from './load-child.ts';
import { runNode } from './measured-process.ts';
import { duration, grouped, median, type Row, table } from './table.ts';

const child = join(import.meta.dirname, 'load-child.ts');

/** Measures loading a file, reading the record and planning, separately. Returns the table. */
export async function measureLoad(fixtures: readonly Fixture[]): Promise<string> {
  const rows: Row[] = [];
  for (const { publications, file, state } of fixtures) {
    const runs: LoadTimes[] = [];
    for (let left = 3; left > 0; left -= 1) runs.push(JSON.parse((await runNode([child, file, state])).stdout) as LoadTimes);
    const middle = (part: keyof LoadTimes): string => duration(median(runs.map((run) => run[part])));
    rows.push({
      cells: [grouped(publications), middle('coldMs'), middle('warmMs'), middle('editedMs'), middle('recordMs'), middle('planMs')],
    });
  }
  return table(
    'Load and plan alone (median)',
    ['publications', 'load, cold', 'load, warm', 'load after a one-line edit', 'read the record', 'plan'],
    rows,
  );
}
