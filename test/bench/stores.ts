import { join } from 'node:path';
import { openStore } from '../../src/store/open.ts';
import { postgresServer } from '../support/postgres.ts';
import { change, gatewaySettings } from '../support/states.ts';
import { recordedAttempt } from './recorded-attempt.ts';
import { grouped, type Row, table } from './table.ts';

const attempts = 6_000;
const concurrencies = [1, 16, 64] as const;
const gateway = gatewaySettings();

/** Measures how many attempts a second each engine records, each before and after its call, without any call. Returns the table. */
export async function measureStores(folder: string): Promise<string> {
  const server = await postgresServer();
  try {
    const rows: Row[] = [];
    for (const concurrency of concurrencies) {
      const [sqlite, postgres] = [
        await rate(`sqlite:${join(folder, `stores-${concurrency}.db`)}`, concurrency),
        await rate(await server.database(), concurrency),
      ];
      rows.push({ cells: [String(concurrency), grouped(sqlite), grouped(postgres), `${((postgres / sqlite) * 100).toFixed(0)} %`] });
    }
    const title =
      'Attempts a second, begun and settled on the disk, without their calls; PostgreSQL on this machine, so that its network costs nothing';
    return table(title, ['concurrency', 'SQLite', 'PostgreSQL', 'of SQLite'], rows);
  } finally {
    await server.close();
  }
}

async function rate(url: string, concurrency: number): Promise<number> {
  const store = await openStore({ url, isEmulated: false });
  await store.acquire(gateway, 0);
  const changes = Array.from({ length: attempts }, (_, index) => change(`api-${index}`, 'test'));
  const beganAtMs = performance.now();
  const queue = changes.values();
  await Promise.all(
    Array.from({ length: concurrency }, async () => {
      for (const one of queue) await (await recordedAttempt(store, gateway, one, noCall)).outcomeRecorded;
    }),
  );
  const tookMs = performance.now() - beganAtMs;
  await store.release(gateway, 1);
  await store.close();
  return (attempts * 1000) / tookMs;
}

async function noCall(): Promise<void> {}
