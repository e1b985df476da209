import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { openTcpProxy } from '../chaos/tcp-proxy.ts';
import { startEmulatedGateway } from './emulated-gateway.ts';
import { generateFile } from './generated-file.ts';
import { startNode } from './measured-process.ts';
import { atMost, duration, table } from './table.ts';

const outageMs = 30_000;
const callsPerSecond = 20;
const publications = callsPerSecond * 60;

/** Measures how soon calls resume after an outage of the gateway, which refuses connections. Returns the table. */
export async function measureOutage(main: string, folder: string): Promise<string> {
  await using gateway = await startEmulatedGateway(main, folder, generateFile({ publications }).json);
  await using way = await openTcpProxy(gateway.url);
  const file = join(folder, 'outage.yaml');
  writeFileSync(file, generateFile({ publications, calls: callsPerSecond, endpoint: way.url }).text);
  const state = `sqlite:${join(folder, 'outage.db')}`;
  await using daemon = startNode([main, 'run', file, '--state', state, '--log-format', 'json']);
  await daemon.line(/"event":"attempt:finished"/);
  way.setMode('refused');
  const stopped = daemon.line(/"event":"requests:paused"/);
  await Promise.all([stopped, sleep(outageMs)]);
  await gateway.takeRequests();
  const endedAtMs = performance.timeOrigin + performance.now();
  way.setMode('clear');
  await daemon.line(/"event":"attempt:finished".*"outcome":"succeeded"/);
  const change = (await gateway.takeRequests()).find(({ operation }) => operation === 'changePublication');
  if (change === undefined) throw new Error('no change arrived after the outage');
  const lostMs = change.atMs - endedAtMs;
  return table(
    `An outage of ${outageMs / 1000} s in the middle of ${publications} changes: from its end to the next change at the gateway`,
    ['connections', 'time lost'],
    [{ cells: ['refused', duration(lostMs)], target: atMost(lostMs, 2000, '2 s') }],
  );
}
