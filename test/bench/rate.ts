import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fullestWindow } from '../chaos/rate.ts';
import { startEmulatedGateway } from './emulated-gateway.ts';
import { generateFile } from './generated-file.ts';
import { runNode } from './measured-process.ts';
import { atLeast, grouped, type Row, table } from './table.ts';

const perMs = 1000;
const windows = 12;
const throttledShare = 0.05;

/** Measures how much of the allowed rate is used for a long queue. Returns the table. */
export async function measureRate(main: string, folder: string): Promise<string> {
  const rows: Row[] = [];
  for (const callsPerSecond of [10, 100, 1000]) {
    for (const isThrottled of [false, true]) {
      const publications = callsPerSecond * windows;
      const options = { publications, callsPerSecond, concurrency: 16 };
      const faults = isThrottled ? ['--fault', `APIG.0308=${throttledShare}`] : [];
      await using gateway = await startEmulatedGateway(main, folder, generateFile(options).json, faults);
      const name = `rate-${callsPerSecond}-${isThrottled}`;
      const file = join(folder, `${name}.yaml`);
      writeFileSync(file, generateFile({ ...options, endpoint: gateway.url }).text);
      await runNode([main, 'apply', file, '--state', `sqlite:${join(folder, `${name}.db`)}`, '--format', 'json', '--log-level', 'silent']);
      const arrivedMs = (await gateway.takeRequests()).map(({ atMs }) => atMs).sort((a, b) => a - b);
      const { used, fullest } = shares(arrivedMs, callsPerSecond);
      rows.push({
        cells: [grouped(callsPerSecond), isThrottled ? '5 %' : 'none', `${(used * 100).toFixed(1)} %`, grouped(fullest)],
        target: atLeast(fullest > callsPerSecond ? 0 : used, 0.97, '97 %, no window over the limit'),
      });
    }
  }
  return table(
    'Share of the allowed rate that is used over a long queue, and the fullest second at the gateway',
    ['allowed a second', 'answers 429', 'used', 'fullest'],
    rows,
  );
}

/** A whole window is sent at once, so request number `allowed * n`, from 0, could at best arrive `n` windows after the first one. */
function shares(arrivedMs: readonly number[], allowed: number): { readonly used: number; readonly fullest: number } {
  const measured = windows - 2; // at the end only throttled requests are left, which are retried
  const tookMs = (arrivedMs[allowed * measured] ?? Number.POSITIVE_INFINITY) - (arrivedMs[0] ?? 0);
  return { used: (measured * perMs) / tookMs, fullest: fullestWindow(arrivedMs, perMs) };
}
