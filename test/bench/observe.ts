import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { EmulatedPublication } from '../../src/emulator/gateway-state.ts';
import { fullestWindow } from '../chaos/rate.ts';
import { startEmulatedGateway } from './emulated-gateway.ts';
import { generateFile } from './generated-file.ts';
import { runNode } from './measured-process.ts';
import { atMost, grouped, table } from './table.ts';

const publications = 15_000;
const callsPerSecond = 10;
const batch = 100;
/** 5,000 APIs at 500 a page. */
const fewestReads = 10;

/** Measures how long it takes to publish a full instance in batches, and to observe it. Returns two tables. */
export async function measureObserve(main: string, folder: string): Promise<string> {
  await using gateway = await startEmulatedGateway(main, folder, generateFile({ publications }).json);
  const file = join(folder, 'observe.yaml');
  const state = `sqlite:${join(folder, 'observe.db')}`;
  const write = (limit: number, more: string): void => {
    const { text } = generateFile({ publications, endpoint: gateway.url, concurrency: 4, calls: limit });
    writeFileSync(file, text.replace(/: offline\b/g, ': online').replace(/^(?= {2}limit:)/m, more));
  };
  const edict = (...args: string[]) => runNode([main, ...args, file, '--state', state, '--format', 'json']);

  write(callsPerSecond, `  batch: ${batch}\n`);
  const applied = await edict('apply', '--log-level', 'silent');
  const calls = await gateway.takeRequests();
  const made = (await (await fetch(`${gateway.url}/_emulator/publications`)).json()) as EmulatedPublication[];
  if (made.length !== publications || made.some(({ versions }) => versions.length !== 1))
    throw new Error(`not each publication has one version: ${made.length} published, ${calls.length} calls`);
  const singleMinutes = Math.round(publications / callsPerSecond / 60);

  write(1_000_000, '');
  const planned = await edict('plan', '--refresh');
  const reads = await gateway.takeRequests();
  if ((JSON.parse(planned.stdout) as { changes: unknown[] }).changes.length > 0) throw new Error('the plan is not empty');
  return (
    table(
      `${grouped(publications)} publications at ${callsPerSecond} calls a second, ${batch} in a batch (single calls: ${singleMinutes} min)`,
      ['calls', 'fullest second', 'time'],
      [
        {
          cells: [
            grouped(calls.length),
            grouped(
              fullestWindow(
                calls.map(({ atMs }) => atMs),
                1000,
              ),
            ),
            `${(applied.tookMs / 1000).toFixed(1)} s`,
          ],
          target: atMost(applied.tookMs, 20_000, '20 s'),
        },
      ],
    ) +
    table(
      '`plan --refresh` of as many, in sync, at an unlimited rate',
      ['reads', 'time'],
      [
        {
          cells: [grouped(reads.length), `${(planned.tookMs / 1000).toFixed(2)} s`],
          target: atMost(reads.length > fewestReads ? Number.POSITIVE_INFINITY : planned.tookMs, 3000, `3 s, ${fewestReads} reads`),
        },
      ],
    )
  );
}
