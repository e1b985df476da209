import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startEmulatedGateway } from './emulated-gateway.ts';
import { generateFile } from './generated-file.ts';
import { startNode } from './measured-process.ts';
import { atMost, grouped, median, type Row, table } from './table.ts';

const publications = 20_000;
const runs = 9;
const pages = 10;
const child = join(import.meta.dirname, 'watching-child.ts');

/** Measures the cost of scraping and of ten open pages for a busy daemon, in turns with one without them. Returns the table. */
export async function measureWatchers(main: string, folder: string): Promise<string> {
  await using gateway = await startEmulatedGateway(main, folder, generateFile({ publications }).json);
  const file = join(folder, 'watchers.yaml');
  writeFileSync(file, generateFile({ publications, endpoint: gateway.url }).text);
  const rates: Record<'alone' | 'watched', number[]> = { alone: [], watched: [] };
  for (let run = 0; run < runs; run += 1) {
    for (const name of ['alone', 'watched'] as const) {
      const state = `sqlite:${join(folder, `watchers-${run}-${name}.db`)}`;
      const args = [main, 'run', file, '--state', state, '--listen', '127.0.0.1:0', '--log-format', 'json'];
      await using daemon = startNode(args);
      const started = await daemon.line(/"event":"daemon:started".*"url":"([^"]+)"/);
      const finished = daemon.line(/"event":"reconcile:finished"/);
      await using watching = startNode([
        child,
        started[1] ?? '',
        name === 'watched' ? String(pages) : '0',
        String(name === 'watched' ? 1000 : 1e9),
      ]);
      await watching.line(/watching/);
      await finished;
      const arrivedMs = (await gateway.takeRequests()).map(({ atMs }) => atMs);
      rates[name].push((arrivedMs.length / (Math.max(...arrivedMs) - Math.min(...arrivedMs))) * 1000);
    }
  }
  const costs = rates.alone.map((rate, run) => 1 - (rates.watched[run] ?? 0) / rate);
  const rows: Row[] = [
    {
      cells: [grouped(Math.max(...rates.alone)), grouped(Math.max(...rates.watched)), `${(median(costs) * 100).toFixed(1)} %`],
      target: atMost(median(costs), 0.05, '5 %'),
    },
  ];
  return table(
    `Calls a second of a daemon that nobody looks at, and of one with ${pages} open pages that is scraped each second, best of ${runs}; what they cost, the median of the pairs`,
    ['alone', 'watched', 'cost'],
    rows,
  );
}
