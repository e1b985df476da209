import { renameSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { startEmulatedGateway } from './emulated-gateway.ts';
import { writeFixture } from './fixture.ts';
import { generateFile } from './generated-file.ts';
import { startNode } from './measured-process.ts';
import { atMost, duration, grouped, median, type Row, table } from './table.ts';

const publications = 10_000;
const debounceMs = 200;
const editsEachWay = 6;

const ways = {
  'saved in place': (file: string, text: string) => writeFileSync(file, text),
  'replaced by rename': (file: string, text: string) => {
    writeFileSync(`${file}.new`, text);
    renameSync(`${file}.new`, file);
  },
} as const;

/** Measures the time of a one-line edit from the write to the arrival of its request at the gateway. Returns the table. */
export async function measureEdit(main: string, folder: string): Promise<string> {
  await using gateway = await startEmulatedGateway(main, folder, generateFile({ publications }).json);
  const { file, state, text, movable } = await writeFixture(folder, { publications, endpoint: gateway.url });
  await using daemon = startNode([main, 'run', file, '--state', state, '--debounce', `${debounceMs}ms`, '--log-format', 'json']);
  await daemon.line(/"event":"plan:computed"/);

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
      cells: [way, String(waits.length), duration(middle), duration(Math.max(...waits))],
      target: atMost(middle, 300, '0.3 s'),
    });
  }
  return table(
    `One-line edit of ${grouped(publications)} publications: from the write to the arrival of its request, less the debounce of ${debounceMs} ms`,
    ['the file is', 'edits', 'median', 'longest'],
    rows,
  );

  /** Resolves to the milliseconds from the start of `write` to the arrival of the request that follows. */
  async function arrival(write: () => void): Promise<number> {
    await sleep(150); // the effects of the last edit have ended
    const outcomeRecorded = daemon.line(/"event":"reconcile:finished"/);
    const writtenAtMs = performance.timeOrigin + performance.now();
    write();
    await outcomeRecorded;
    const requests = await gateway.takeRequests();
    const [request] = requests;
    if (request === undefined || requests.length > 1) throw new Error(`one edit caused ${requests.length} requests`);
    return request.atMs - writtenAtMs;
  }
}
