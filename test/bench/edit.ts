import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startEmulatedGateway } from './emulated-gateway.ts';
import { generateFile } from './generated-file.ts';
import { startNode } from './measured-process.ts';
import { atMost, duration, grouped, median, type Row, table } from './table.ts';

const debounceMs = 200;
const editsEachWay = 6;

interface Size {
  readonly publications: number;
  /** The longest median, in milliseconds, after the debounce. */
  readonly maxMs: number;
  /** The highest resident memory, in MB (10^6 bytes); `null`: no target. */
  readonly maxMb: number | null;
}

const sizes: readonly Size[] = [
  { publications: 10_000, maxMs: 100, maxMb: null },
  { publications: 100_000, maxMs: 1000, maxMb: 500 },
];

const maxStallMs = 100;

const ways = {
  'saved in place': (file: string, text: string) => writeFileSync(file, text),
  'replaced by rename': (file: string, text: string) => {
    writeFileSync(`${file}.new`, text);
    renameSync(`${file}.new`, file);
  },
} as const;

/**
 * Measures a daemon that adopts a gateway and then follows edits of one line: the time from the write to the arrival of its request at the
 * gateway, the longest stall of its event loop, and its memory. Returns the tables.
 */
export async function measureEdit(main: string, folder: string): Promise<string> {
  const tables: string[] = [];
  for (const size of sizes) tables.push(await measureSize(main, folder, size));
  return tables.join('');
}

async function measureSize(main: string, folder: string, { publications, maxMs, maxMb }: Size): Promise<string> {
  await using gateway = await startEmulatedGateway(main, folder, generateFile({ publications }).json, { isPublished: true });
  const { text, movable } = generateFile({ publications, endpoint: gateway.url });
  const file = join(folder, `edit-${publications}.yaml`);
  writeFileSync(file, text);
  const startedAtMs = performance.now();
  await using daemon = startNode([
    ...[main, 'run', file, '--state', `sqlite:${file}.db`, '--listen', '127.0.0.1:0'],
    ...['--debounce', `${debounceMs}ms`, '--log-format', 'json'],
  ]);
  const adopted = daemon.line(/"event":"plan:computed"/);
  const url = (await daemon.line(/"event":"daemon:started".*"url":"([^"]+)"/))[1] ?? '';
  await adopted;
  const adoptedMs = performance.now() - startedAtMs;
  const adoptionStallMs = await longestStallMs(url);
  const made = (await gateway.takeRequests()).filter(isChange).length;
  if (made > 0) throw new Error(`adopting the gateway caused ${made} changes`);

  const stallsMs: number[] = [];
  const rows: Row[] = [];
  for (const [way, write] of Object.entries(ways)) {
    const waits: number[] = [];
    for (let edit = 0; edit < editsEachWay; edit += 1) {
      const { at, length } = movable[edit * Math.floor(movable.length / editsEachWay)] ?? { at: 0, length: 0 };
      const offline = `${text.slice(0, at)}offline${text.slice(at + length)}`;
      for (const content of [offline, text]) waits.push((await arrival(() => write(file, content))) - debounceMs);
    }
    const middle = median(waits);
    rows.push({
      cells: [`an edit, ${way}`, duration(middle), duration(Math.max(...waits))],
      target: atMost(middle, maxMs, duration(maxMs)),
    });
  }
  rows.push(
    {
      cells: ['event-loop stall after an edit', duration(median(stallsMs)), duration(Math.max(...stallsMs))],
      target: atMost(Math.max(...stallsMs), maxStallMs, duration(maxStallMs)),
    },
    { cells: ['adoption of the gateway', duration(adoptedMs), ''] },
    {
      cells: ['event-loop stall during adoption', '', duration(adoptionStallMs)],
      target: atMost(adoptionStallMs, maxStallMs, duration(maxStallMs)),
    },
  );
  const { peakMb, residentMb } = memoryOf(daemon.pid);
  rows.push({
    cells: ['resident memory, in MB', grouped(residentMb), grouped(peakMb)],
    ...(maxMb !== null && { target: atMost(peakMb, maxMb, String(maxMb)) }),
  });
  return table(
    `A daemon with ${grouped(publications)} publications: one-line edits, from the write to the arrival of the request, less the debounce of ${debounceMs} ms`,
    ['', 'median', 'most'],
    rows,
  );

  /** Resolves to the milliseconds from the start of `write` to the arrival of the request that follows. */
  async function arrival(write: () => void): Promise<number> {
    await sleep(300); // The effects of the last edit have ended.
    await longestStallMs(url);
    const outcomeRecorded = daemon.line(/"event":"reconcile:finished"/);
    const writtenAtMs = performance.timeOrigin + performance.now();
    write();
    await outcomeRecorded;
    stallsMs.push(await longestStallMs(url));
    const requests = await gateway.takeRequests();
    const changes = requests.filter(isChange);
    const [change] = changes;
    if (change === undefined || changes.length > 1) throw new Error(`one edit caused ${changes.length} changes`);
    return change.atMs - writtenAtMs;
  }
}

function isChange({ operation }: { readonly operation: string | null }): boolean {
  return operation === 'changePublication';
}

/** Resolves to the longest stall of the daemon's event loop since the last call, in milliseconds, as the daemon's own metric says. */
async function longestStallMs(url: string): Promise<number> {
  const metrics = await (await fetch(`${url}/metrics`)).text();
  const seconds = /^nodejs_eventloop_lag_max_seconds (\S+)$/m.exec(metrics)?.[1];
  if (seconds === undefined) throw new Error('the daemon has no metric of its event loop');
  return Number(seconds) * 1000;
}

function memoryOf(pid: number): { readonly residentMb: number; readonly peakMb: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const toMb = (name: string): number => (Number(new RegExp(`^${name}:\\s*(\\d+)`, 'm').exec(status)?.[1]) * 1024) / 1e6;
  return { residentMb: toMb('VmRSS'), peakMb: toMb('VmHWM') };
}
