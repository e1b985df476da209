/**
 * `npm run bench [-- plan load edit calls rate outage observe page watchers stores hand-over fleet start-up]`: measures performance and prints it beside the targets.
 *
 * Exit code 1 if a measurement fails and, with `--check`, if a target is missed. A missed target is printed as `MISSED`, and means little on a busy
 * machine.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { join, resolve } from 'node:path';
import { measureCalls } from './calls.ts';
import { measureEdit } from './edit.ts';
import { type Fixture, writeFixture } from './fixture.ts';
import { measureFleet } from './fleet.ts';
import { measureHandOver } from './hand-over.ts';
import { measureLoad } from './load.ts';
import { measureObserve } from './observe.ts';
import { measureOutage } from './outage.ts';
import { measurePage } from './page.ts';
import { measurePlanProcess } from './plan-process.ts';
import { measureRate } from './rate.ts';
import { measureStartUp } from './start-up.ts';
import { measureStores } from './stores.ts';
import { countMissed } from './table.ts';
import { measureWatchers } from './watchers.ts';

const root = resolve(import.meta.dirname, '../..');
const main = join(root, 'src/main.ts');
const sizes = [1_000, 10_000, 100_000];

type Part = (folder: string, fixtures: () => Promise<readonly Fixture[]>) => Promise<string>;

const parts: Readonly<Record<string, Part>> = {
  plan: async (_, fixtures) => measurePlanProcess(main, await fixtures()),
  load: async (_, fixtures) => measureLoad(await fixtures()),
  edit: (folder) => measureEdit(main, folder),
  calls: (folder) => measureCalls(main, folder),
  rate: (folder) => measureRate(main, folder),
  outage: (folder) => measureOutage(main, folder),
  observe: (folder) => measureObserve(main, folder),
  page: (folder) => measurePage(main, folder),
  watchers: (folder) => measureWatchers(main, folder),
  stores: (folder) => measureStores(folder),
  'hand-over': (folder) => measureHandOver(folder),
  fleet: (folder) => measureFleet(folder),
  'start-up': (folder) => measureStartUp(main, folder),
};

process.exitCode = await bench(process.argv.slice(2));

async function bench(args: readonly string[]): Promise<0 | 1> {
  const wanted = args.filter((arg) => arg !== '--check');
  const unknown = wanted.find((name) => !Object.hasOwn(parts, name));
  if (unknown !== undefined) {
    process.stderr.write(`There is no part ${unknown}; the parts are ${Object.keys(parts).join(', ')}.\n`);
    return 1;
  }
  // In the checkout, not in the temporary folder of the system: that may be in memory, which makes a store too fast.
  mkdirSync(join(root, '.edict'), { recursive: true });
  const folder = mkdtempSync(join(root, '.edict/bench-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => process.exit(1));
  let written: Promise<readonly Fixture[]> | undefined;
  const fixtures = (): Promise<readonly Fixture[]> => {
    written ??= writeFixtures(folder);
    return written;
  };
  process.stdout.write(`Node ${process.versions.node}, ${cpus().length} x ${cpus()[0]?.model.trim() ?? 'CPU'}, ${load()}\n\n`);
  try {
    let missed = 0;
    for (const [name, measure] of Object.entries(parts)) {
      if (wanted.length > 0 && !wanted.includes(name)) continue;
      const tables = await measure(folder, fixtures);
      missed += countMissed(tables);
      process.stdout.write(tables);
    }
    process.stdout.write(`Done, ${load()}. Where other work keeps the machine busy, trust the ratios more than the times.\n`);
    process.stdout.write(missed === 0 ? 'Every target is reached.\n' : `Missed targets: ${missed}.\n`);
    return missed > 0 && args.includes('--check') ? 1 : 0;
  } catch (error) {
    process.stderr.write(`Cannot measure: ${error instanceof Error ? error.message : String(error)}\n`);
    return 1;
  }
}

async function writeFixtures(folder: string): Promise<readonly Fixture[]> {
  const fixtures: Fixture[] = [];
  for (const publications of sizes) fixtures.push(await writeFixture(folder, { publications }));
  return fixtures;
}

function load(): string {
  return `load ${(loadavg()[0] ?? 0).toFixed(1)}`;
}
