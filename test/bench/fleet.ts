import { mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { startEmulator } from '../../src/emulator/emulator.ts';
import { writeSuspension } from '../../src/store/requests.ts';
import { fileOf, type Running, seedOf, startEdict, until } from '../support/edict-process.ts';
import { postgresServer } from '../support/postgres.ts';
import { atMost, duration, type Row, table } from './table.ts';

/** The fleet of the budget, and the part of it that runs here. */
const fleet = { gateways: 200, replicas: 20 };
const measured = { gateways: 200, replicas: [2, 5] } as const;

/** How long an idle fleet is counted, in milliseconds. */
const idleMs = 30_000;

/** How often each gateway is planned again and observed, in seconds: the defaults of `--resync` and `refresh`. */
const defaultResyncSeconds = 300;

/** The shorter time with which the cost of that is measured, in seconds. */
const shortResyncSeconds = 15;

const startLimitMs = 600_000;

/**
 * Measures the transactions of idle replicas that share many gateways in PostgreSQL, the time until a gateway has another holder, and how many
 * gateways move when a replica joins or leaves. Returns the tables.
 */
export async function measureFleet(folder: string): Promise<string> {
  await using resources = new AsyncDisposableStack();
  const server = resources.adopt(await postgresServer(), (opened) => opened.close());
  const emulators = await Promise.all(
    Array.from({ length: measured.gateways }, async (_, index) =>
      resources.adopt(await startEmulator({ seed: seedOf(`api${index}`) }), (opened) => opened.close()),
    ),
  );
  /** Writes a file for each gateway and returns how to start a replica of a new fleet. */
  const newFleet = async (resyncSeconds: number) => {
    const place = mkdtempSync(join(folder, 'fleet-'));
    const names = emulators.map(({ url }, index) => {
      const name = `gateway${index}.yaml`;
      writeFileSync(join(place, name), `refresh: ${resyncSeconds}s\n${fileOf(url, { [`api${index}`]: 'online' })}`);
      return name;
    });
    const state = await server.database();
    const database = new pg.Client({ connectionString: state });
    await database.connect();
    resources.defer(() => database.end());
    const args = ['--state', state, '--resync', `${resyncSeconds}s`, '--log-format', 'json', '--log-level', 'debug'];
    return { state, database, resyncSeconds, start: () => startEdict(['run', ...names, ...args], place) };
  };

  const resync = await newFleet(shortResyncSeconds);
  const [only] = await startReplicas(resync, [], 1);
  const busy = await transactionsPerSecond(resync.database);
  await end([only as Running], 'SIGKILL');

  const idle = await newFleet(defaultResyncSeconds);
  let replicas: Running[] = [];
  const rates: number[] = [];
  for (const count of measured.replicas) {
    replicas = await startReplicas(idle, replicas, count);
    rates.push(await transactionsPerSecond(idle.database));
  }
  // The larger fleet has less of all else for each replica.
  const perReplica = (rates.at(-1) ?? 0) / (measured.replicas.at(-1) ?? 1);
  // One replica alone, with what each gateway costs at the short interval.
  const perResync = Math.max(0, (busy - perReplica) * shortResyncSeconds) / measured.gateways;
  const resyncs = (fleet.gateways * perResync) / defaultResyncSeconds;
  const total = fleet.replicas * perReplica + resyncs;
  const perSecond = (value: number): string => `${value.toFixed(1)}/s`;
  const transactions = table(
    `Idle transactions in PostgreSQL, ${measured.gateways} gateways`,
    ['', 'transactions'],
    [
      ...measured.replicas.map((count, index): Row => ({ cells: [`${count} replicas`, perSecond(rates[index] ?? 0)] })),
      { cells: ['each replica', perSecond(perReplica)] },
      { cells: ['a resync and observation of a gateway', perResync.toFixed(1)] },
      {
        cells: [
          `${fleet.replicas} replicas: ${fleet.replicas} x ${perReplica.toFixed(2)} + ${fleet.gateways} x ${perResync.toFixed(1)} / ${defaultResyncSeconds} s`,
          perSecond(total),
        ],
        target: atMost(total, 60, '60/s'),
      },
    ],
  );

  const suspendedMs = await measureSuspension(idle, emulators[0]?.url ?? '', replicas);
  const before = await holders(idle.database);
  replicas = await startReplicas(idle, replicas, replicas.length + 1);
  const joined = moved(before, await holders(idle.database));
  const share = Math.ceil(measured.gateways / replicas.length);

  const stopping = replicas.shift() as Running;
  const stopped = await measureHandOver(idle.database, stopping, 'SIGTERM');
  const killed = await measureHandOver(idle.database, replicas.shift() as Running, 'SIGKILL');
  await end(replicas, 'SIGKILL');
  const hops = ({ moved: count, held }: HandOver): string => `${count} of ${held}`;
  return (
    transactions +
    table(
      `Hand-over of many gateways, ${measured.replicas[1] + 1} replicas`,
      ['', 'longest', 'moved'],
      [
        { cells: ['suspension until the holder reconciles', duration(suspendedMs), ''], target: atMost(suspendedMs, 1000, '1 s') },
        { cells: ['a replica joins', '', `${joined}`], target: atMost(joined, share, `${share} moved`) },
        {
          cells: ['stopped: a gateway without a holder', duration(stopped.longestMs), hops(stopped)],
          target: atMost(stopped.longestMs + (stopped.moved > stopped.held ? 1e6 : 0), 600, '0.6 s, its own'),
        },
        {
          cells: ['killed: until it has another holder', duration(killed.longestMs), hops(killed)],
          target: atMost(killed.longestMs + (killed.moved > killed.held ? 1e6 : 0), 5000, '5 s, its own'),
        },
      ],
    )
  );
}

interface Fleet {
  readonly state: string;
  readonly database: pg.Client;
  readonly resyncSeconds: number;
  readonly start: () => Running;
}

/** Starts replicas up to `count`; resolves to all when they hold even shares of the gateways and have finished their reconciliations. */
async function startReplicas({ database, start, resyncSeconds }: Fleet, running: readonly Running[], count: number): Promise<Running[]> {
  const replicas = [...running];
  while (replicas.length < count) replicas.push(start());
  const even = { least: Math.floor(measured.gateways / count), most: Math.ceil(measured.gateways / count) };
  const deadlineMs = performance.now() + startLimitMs;
  const finished = (): number => replicas.reduce((sum, replica) => sum + replica.events('reconcile:finished').length, 0);
  let finishedCount = finished();
  for (let evenSinceMs: number | null = null; evenSinceMs === null || performance.now() - evenSinceMs < 10_000; await sleep(200)) {
    if (performance.now() > deadlineMs) throw new Error(`${count} replicas do not share the gateways evenly`);
    const shares = [...Map.groupBy((await holders(database)).values(), (holder) => holder).values()].map(({ length }) => length);
    const isEven = shares.length === count && shares.every((size) => size >= even.least && size <= even.most);
    const isCalm = finished() === finishedCount || resyncSeconds < defaultResyncSeconds;
    finishedCount = finished();
    evenSinceMs = isEven && isCalm ? (evenSinceMs ?? performance.now()) : null;
  }
  return replicas;
}

async function end(replicas: readonly Running[], signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  for (const { child } of replicas) child.kill(signal);
  for (const { finished } of replicas) await finished;
}

/** Returns the holder of each gateway whose lease has not expired. */
async function holders(database: pg.Client): Promise<ReadonlyMap<string, string>> {
  const exists = await database.query("SELECT to_regclass('edict.gateway') IS NOT NULL AS exists");
  if (!exists.rows[0]?.exists) return new Map();
  const { rows } = await database.query<{ id: string; holder: string }>(
    'SELECT id, holder FROM edict.gateway WHERE holder IS NOT NULL AND held_until >= clock_timestamp()',
  );
  return new Map(rows.map(({ id, holder }) => [id, holder]));
}

/** Returns how many gateways have another holder. */
function moved(before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>): number {
  return [...after].filter(([id, holder]) => before.get(id) !== holder).length;
}

async function transactionsPerSecond(database: pg.Client): Promise<number> {
  const read = async (): Promise<{ readonly count: number; readonly atMs: number }> => {
    const { rows } = await database.query<{ xact_commit: string }>(
      'SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()',
    );
    return { count: Number(rows[0]?.xact_commit), atMs: performance.now() };
  };
  // A session reports its transactions with a delay, at most once a second.
  await sleep(2000);
  const first = await read();
  await sleep(idleMs);
  const last = await read();
  return ((last.count - first.count - 1) * 1000) / (last.atMs - first.atMs);
}

/** Returns how long it takes until the holder of the gateway begins to reconcile for a suspension that another process writes. */
async function measureSuspension({ state }: Fleet, endpoint: string, replicas: readonly Running[]): Promise<number> {
  const seen = (): number =>
    replicas.flatMap((replica) => replica.events('reconcile:started')).filter(({ cause }) => cause === 'suspension').length;
  const before = seen();
  const startedAtMs = performance.now();
  const suspension = { by: 'bench', reason: 'bench', sinceMs: Date.now(), untilMs: null };
  await writeSuspension({ url: state, isEmulated: false }, { endpoint, project: 'project', instance: 'instance' }, suspension);
  await until('the holder reconciles', () => seen() > before);
  return performance.now() - startedAtMs;
}

interface HandOver {
  /** The longest time that a gateway had no holder; after a kill, since that. */
  readonly longestMs: number;
  /** How many gateways the process held. */
  readonly held: number;
  /** How many gateways have another holder in the end. */
  readonly moved: number;
}

async function measureHandOver(database: pg.Client, leaving: Running, signal: 'SIGTERM' | 'SIGKILL'): Promise<HandOver> {
  const before = await holders(database);
  const holder = [...before.values()].find((name) => name.includes(`pid ${leaving.child.pid},`)) ?? '';
  const left = new Set([...before].filter(([, of]) => of === holder).map(([id]) => id));
  const held = left.size;
  const freeSinceMs = new Map<string, number>();
  const endedAtMs = performance.now();
  leaving.child.kill(signal);
  let longestMs = 0;
  for (; left.size > 0; await sleep(10)) {
    const now = await holders(database);
    const nowMs = performance.now();
    for (const id of left) {
      const current = now.get(id);
      if (current !== holder && !freeSinceMs.has(id)) freeSinceMs.set(id, nowMs);
      if (current === undefined || current === holder) continue;
      left.delete(id);
      longestMs = Math.max(longestMs, nowMs - (signal === 'SIGKILL' ? endedAtMs : (freeSinceMs.get(id) ?? nowMs)));
    }
    if (nowMs - endedAtMs > 120_000) throw new Error(`${left.size} gateways have no other holder`);
  }
  await leaving.finished;
  // Moves of more gateways than these would follow soon.
  await sleep(3000);
  return { longestMs, held, moved: moved(before, await holders(database)) };
}
