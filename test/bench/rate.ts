import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { fullestWindow } from '../chaos/rate.ts';
import { type EmulatedGateway, startEmulatedGateway } from './emulated-gateway.ts';
import { generateFile } from './generated-file.ts';
import { runNode } from './measured-process.ts';
import { atLeast, grouped, type Row, table } from './table.ts';

const throttledShare = 0.05;

interface Shape {
  readonly calls: number;
  readonly perMs: number;
  readonly concurrency: number;
  readonly latencyMs: number;
  readonly isThrottled: boolean;
}

const manyCalls = [10, 100, 1000].flatMap((calls) =>
  [false, true].map((isThrottled): Shape => ({ calls, perMs: 1000, concurrency: 16, latencyMs: 0, isThrottled })),
);
const everyShape = [
  { calls: 1, perMs: 50, concurrency: 2 },
  { calls: 1, perMs: 250, concurrency: 4 },
  { calls: 10, perMs: 1000, concurrency: 4 },
  { calls: 50, perMs: 1000, concurrency: 16 },
].flatMap((limit) => [1, 20, 200].map((latencyMs): Shape => ({ ...limit, latencyMs, isThrottled: false })));

/** Measures how much of what is possible is used while a long queue is worked off, for many shapes of limit. Returns the table. */
export async function measureRate(main: string, folder: string): Promise<string> {
  const rows: Row[] = [];
  for (const shape of [...manyCalls, ...everyShape]) {
    const { calls, perMs, concurrency, latencyMs, isThrottled } = shape;
    const windows = Math.max(12, Math.ceil(6000 / (perMs + latencyMs)));
    // Some of a generated file's publications need no call.
    const options = { publications: Math.ceil(calls * windows * 1.3), calls, perMs, concurrency };
    const faults = [
      ...(isThrottled ? ['--fault', `APIG.0308=${throttledShare}`] : []),
      ...(latencyMs > 0 ? ['--latency', `${latencyMs}ms`] : []),
    ];
    await using gateway = await startEmulatedGateway(main, folder, generateFile(options).json, { options: faults });
    const roundTripMs = await measureRoundTrip(gateway);
    const name = `rate-${calls}-${perMs}-${concurrency}-${latencyMs}-${isThrottled}`;
    const file = join(folder, `${name}.yaml`);
    writeFileSync(file, generateFile({ ...options, endpoint: gateway.url }).text);
    await runNode([main, 'apply', file, '--state', `sqlite:${join(folder, `${name}.db`)}`, '--format', 'json', '--log-level', 'silent']);
    const requests = await gateway.takeRequests();
    const arrivedMs = requests.map(({ atMs }) => atMs).sort((a, b) => a - b);
    const changedMs = requests.flatMap(({ atMs, operation }) => (operation === 'changePublication' ? [atMs] : [])).sort((a, b) => a - b);
    // Before the first change the gateway is read, and at the end only retries are left. A whole window leaves at once, so it is measured from
    // the first request of one to that of another.
    const measured = (windows - 4) * calls;
    const tookMs = (changedMs[2 * calls + measured] ?? Number.POSITIVE_INFINITY) - (changedMs[2 * calls] ?? 0);
    const used = measured / tookMs / Math.min(calls / (perMs + roundTripMs), concurrency / roundTripMs);
    const fullest = fullestWindow(arrivedMs, perMs);
    rows.push({
      cells: [
        `${grouped(calls)} per ${grouped(perMs)} ms, ${concurrency} at once`,
        `${roundTripMs.toFixed(1)} ms`,
        isThrottled ? '5 %' : 'none',
        `${(used * 100).toFixed(1)} %`,
        grouped(fullest),
      ],
      target: atLeast(fullest > calls ? 0 : used, isThrottled ? 0.97 : 0.98, `${isThrottled ? 97 : 98} %, no window over the limit`),
    });
  }
  return table(
    'Share of what is possible that is used over a long queue, and the fullest window at the gateway. Possible: min(calls / (per + round trip), concurrency / round trip)',
    ['limit', 'round trip', 'answers 429', 'used', 'fullest'],
    rows,
  );
}

/** Returns the median of some requests, one after the other. They are forgotten. */
async function measureRoundTrip({ url, takeRequests }: EmulatedGateway): Promise<number> {
  const took: number[] = [];
  const headers = { 'content-type': 'application/json', 'x-auth-token': 'token' };
  const body = JSON.stringify({ action: 'online', api_id: 'none', env_id: 'none' });
  for (let request = 0; request < 21; request += 1) {
    const startedMs = performance.now();
    await (await fetch(`${url}/v2/none/apic/instances/none/apis/action`, { method: 'POST', headers, body })).text();
    took.push(performance.now() - startedMs);
  }
  await takeRequests();
  return took.sort((a, b) => a - b)[10] ?? 0;
}
