import { mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startEmulator } from '../../src/emulator/emulator.ts';
import { fileOf, type Running, seedOf, startEdict, until } from '../support/edict-process.ts';
import { postgresServer } from '../support/postgres.ts';
import { atMost, duration, median, type Row, table } from './table.ts';

const runs = 5;

/** Measures the time from the end of one daemon until the next one has the lease of a gateway and its plan. Returns the table. */
export async function measureHandOver(folder: string): Promise<string> {
  const server = await postgresServer();
  const emulator = await startEmulator({ seed: seedOf('orders') });
  const place = mkdtempSync(join(folder, 'hand-over-'));
  writeFileSync(join(place, 'edict.yaml'), fileOf(emulator.url, { orders: 'online' }, '{ calls: 10, per: 100ms }'));
  const state = await server.database();
  const start = (): Running =>
    startEdict(['run', '--state', state, '--log-format', 'json', '--log-level', 'debug', '--debounce', '20ms'], place);
  const took: Record<'SIGTERM' | 'SIGKILL', number[]> = { SIGTERM: [], SIGKILL: [] };
  let first = start();
  try {
    await until('the first works', () => first.events('plan:computed').length > 0);
    for (const signal of Object.keys(took) as (keyof typeof took)[]) {
      for (let run = 0; run < runs; run += 1) {
        const second = start();
        await until('the second stands by', () => second.events('lease:standby').length > 0);
        const endedAtMs = performance.now();
        first.child.kill(signal);
        await until('the second works', () => second.events('plan:computed').length > 0);
        took[signal].push(performance.now() - endedAtMs);
        await first.finished;
        first = second;
      }
    }
  } finally {
    first.child.kill('SIGKILL');
    await first.finished;
    await emulator.close();
    await server.close();
  }
  const row = (name: string, times: readonly number[], limitMs: number, words: string): Row => {
    const longest = Math.max(...times);
    return { cells: [name, duration(median(times)), duration(longest)], target: atMost(longest, limitMs, words) };
  };
  return table(
    `Hand-over of a gateway, PostgreSQL, from the signal to the next daemon's plan, ${runs} runs`,
    ['', 'median', 'longest'],
    [row('stopped (SIGTERM)', took.SIGTERM, 1000, '1 s'), row('killed (SIGKILL)', took.SIGKILL, 5000, '5 s')],
  );
}
