import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pickRandom, type Random, seededRandom } from '../../src/emulator/random.ts';
import { connect, disconnect } from '../../src/store/postgres/connection.ts';
import { edict } from '../support/edict-command.ts';
import { type Running, scratchFolder, startEdict, terminate } from '../support/edict-process.ts';
import { type PostgresServer, postgresServer } from '../support/postgres.ts';
import { FaultyGateway, late, limit, type Recorded, toRecorded, user } from './faulty-gateway.ts';
import type { ChaosOptions, Report as OneDaemonReport } from './one-daemon.ts';
import { openTcpProxy, type ProxyMode, type TcpProxy } from './tcp-proxy.ts';

export interface SeveralDaemonsOptions extends ChaosOptions {
  readonly processes: number;
  readonly gateways: number;
}

/** The result of a run with several daemons. */
export interface Report extends OneDaemonReport {
  /** How often a process was killed, paused, and cut off from the database, and how often the database was restarted. */
  readonly harm: Readonly<Record<Harm, number>>;
  /** The longest time from the death of a process until others held all its leases, in milliseconds, without other faults. */
  readonly takeOverMs: number;
}

type Harm = 'killed' | 'stopped' | 'paused' | 'cut off' | 'database restarted';

const longestRoundMs = 180_000;

/**
 * Has several daemons with one PostgreSQL store bring the publications of several gateways from one state to the next under faults
 * of processes, database, network and gateways. Throws an Error that says what was lost, repeated, too fast or not recorded.
 */
export async function runSeveralDaemons({ kills, publications, processes, gateways, seed, say }: SeveralDaemonsOptions): Promise<Report> {
  const startedAtMs = Date.now();
  const random = seededRandom(seed);
  const server = await postgresServer();
  const each = Math.ceil(publications / gateways);
  const faulty = await Promise.all(
    Array.from({ length: gateways }, (_, index) => FaultyGateway.open(`g${index}a`, each, seed + index * 10)),
  );
  const daemons = new DaemonGroup(server, await server.database(), kills, random, say);
  let rounds = 0;
  try {
    await daemons.launch(processes);
    while (rounds === 0 || daemons.left > 0) {
      rounds += 1;
      const saved = faulty.map((gateway, index) => gateway.write(join(daemons.folder, `gateway${index}.yaml`), rounds, random));
      // Every gateway is checked, since the check of each may throw.
      const isReached = (): boolean => faulty.map((gateway) => gateway.isReached()).every(Boolean);
      await Promise.all([...saved, daemons.untilCalm(isReached, `round ${rounds} is reached`)]);
      say(`round ${rounds} reached`);
    }
    await Promise.all(faulty.map((gateway) => gateway.endFaults()));
    const takeOverMs = await daemons.takeOver();
    await daemons.end();
    const history = await daemons.histories(gateways);
    for (const [index, gateway] of faulty.entries()) gateway.check(history[index] ?? []);
    await daemons.checkInSync(gateways);
    const all = history.flat();
    return {
      kills: daemons.harm.killed,
      harm: daemons.harm,
      takeOverMs,
      rounds,
      requests: faulty.reduce((sum, { emulator }) => sum + emulator.requests.all().length, 0),
      versions: faulty.reduce((sum, { versions }) => sum + versions, 0),
      attempts: all.length,
      ...late(all),
      fullest: Math.max(...faulty.map((gateway) => gateway.fullest())),
      allowed: limit.calls,
      seconds: Math.round((Date.now() - startedAtMs) / 1000),
    };
  } finally {
    await daemons.end();
    await Promise.all(faulty.map((gateway) => gateway[Symbol.asyncDispose]()));
    await server.close();
  }
}

/** A daemon with its own connection to the database. */
interface Ship {
  readonly proxy: TcpProxy;
  running: Running;
  /** Undoes the fault of this daemon. */
  mend: Promise<void> | null;
}

/** Daemons with the same files and the same store, which are subjected to faults. */
class DaemonGroup {
  /** The folder of the files. */
  readonly folder = scratchFolder();
  readonly harm: Record<Harm, number> = { killed: 0, stopped: 0, paused: 0, 'cut off': 0, 'database restarted': 0 };
  readonly #server: PostgresServer;
  readonly #state: string;
  readonly #random: Random;
  readonly #say: (line: string) => void;
  readonly #daemons: Ship[] = [];
  #lastRetryAtMs = 0;
  /** The number of kills that remain. */
  left: number;

  constructor(server: PostgresServer, state: string, kills: number, random: Random, say: (line: string) => void) {
    this.#server = server;
    this.#state = state;
    this.left = kills;
    this.#random = random;
    this.#say = say;
    mkdirSync(join(this.folder, 'logs'));
  }

  async launch(processes: number): Promise<void> {
    const { host } = new URL(this.#state);
    for (let index = 0; index < processes; index += 1) {
      const proxy = await openTcpProxy(`http://${host}`);
      this.#daemons.push({ proxy, running: this.#start(proxy), mend: null });
    }
  }

  /** Resolves when `isReached` holds and nothing is left to do, with random faults until then. Throws if it takes too long. */
  async untilCalm(isReached: () => boolean, what: string): Promise<void> {
    let deadlineMs = 0;
    for (;;) {
      // While they are killed, they may get nothing done.
      if (this.left > 0 || deadlineMs === 0) deadlineMs = Date.now() + longestRoundMs;
      if (Date.now() > deadlineMs) throw new Error(`waited ${longestRoundMs / 1000} s in vain until ${what}\n${this.#lastWords()}`);
      if (isReached() && !(await this.#hasUnresolved())) return;
      await sleep(this.left > 0 ? 20 + this.#random() * 1500 : 100);
      const dead = this.#daemons.find(({ running: { child } }) => child.exitCode !== null || child.signalCode !== null);
      if (dead)
        throw new Error(
          `edict ended by itself with ${dead.running.child.exitCode ?? dead.running.child.signalCode}\n${dead.running.output.stderr.slice(-4000)}`,
        );
      if (this.left > 0) await this.#doHarm();
      else this.#retryNow();
    }
  }

  async #doHarm(): Promise<void> {
    const ship = pickRandom(this.#daemons, this.#random);
    if (ship.mend) return;
    const chance = this.#random();
    const forMs = 300 + this.#random() ** 2 * 9000;
    if (chance < 0.5) {
      this.harm.killed += 1;
      this.left -= 1;
      if (this.harm.killed % 20 === 0) this.#say(`${this.harm.killed} kills`);
      ship.running.child.kill('SIGKILL');
      await ship.running.finished;
      ship.running = this.#start(ship.proxy);
    } else if (chance < 0.55) {
      this.harm.stopped += 1;
      await terminate(ship.running);
      ship.running = this.#start(ship.proxy);
    } else if (chance < 0.75) {
      this.harm.paused += 1;
      ship.running.child.kill('SIGSTOP');
      this.#mendLater(ship, forMs, () => ship.running.child.kill('SIGCONT'));
    } else if (chance < 0.97) {
      this.harm['cut off'] += 1;
      ship.proxy.setMode(pickRandom<ProxyMode>(['refused', 'swallowed', 'frozen', 'stalled'], this.#random));
      this.#mendLater(ship, forMs, () => ship.proxy.setMode('clear'));
    } else {
      this.harm['database restarted'] += 1;
      await this.#server.restart(this.#random() * 2000);
    }
  }

  #mendLater(ship: Ship, afterMs: number, mend: () => void): void {
    ship.mend = sleep(afterMs).then(() => {
      mend();
      ship.mend = null;
    });
  }

  /** Kills each process in turn without other faults. Returns the longest time until its leases were all held by others, in milliseconds. */
  async takeOver(): Promise<number> {
    await Promise.all(this.#daemons.map(({ mend }) => mend));
    let longestMs = 0;
    for (const ship of this.#daemons) {
      await this.#until('all gateways have somebody, and each process has one', async () => {
        const held = await this.#holders();
        return held.every((holder) => holder !== null) && new Set(held).size === this.#daemons.length;
      });
      const { pid } = ship.running.child;
      ship.running.child.kill('SIGKILL');
      const killedAtMs = performance.now();
      await ship.running.finished;
      const isHis = (holder: string | null): boolean => holder === null || holder.includes(`pid ${pid},`);
      await this.#until('the others have its gateways', async () => !(await this.#holders()).some(isHis));
      longestMs = Math.max(longestMs, performance.now() - killedAtMs);
      ship.running = this.#start(ship.proxy);
    }
    return Math.round(longestMs);
  }

  async #until(what: string, condition: () => Promise<boolean>): Promise<void> {
    for (const deadlineMs = Date.now() + 60_000; !(await condition()); await sleep(20)) {
      if (Date.now() > deadlineMs)
        throw new Error(`waited in vain until ${what}; the leases: ${(await this.#holders()).join('; ')}\n${this.#lastWords()}`);
    }
  }

  /** Stops every daemon. */
  async end(): Promise<void> {
    for (const { proxy, running } of this.#daemons.splice(0)) {
      running.child.kill('SIGCONT');
      running.child.kill('SIGKILL');
      await running.finished;
      await proxy[Symbol.asyncDispose]();
    }
  }

  /** Returns the history of each gateway. Throws an Error if an attempt has the fence of an earlier lease than one before it. */
  async histories(gateways: number): Promise<Recorded[][]> {
    const rows = await this.#query(`
      SELECT a.*, g.endpoint, a.finished_at_ms - a.started_at_ms AS took FROM edict.attempt a JOIN edict.gateway g ON g.id = a.gateway_id ORDER BY a.id`);
    const fences = new Map<string, number>();
    const histories = new Map<string, Recorded[]>();
    for (const row of rows) {
      const [endpoint, fence] = [String(row['endpoint']), Number(row['fence'])];
      if (fence < (fences.get(endpoint) ?? 0))
        throw new Error(`attempt ${row['id']} was begun under fence ${fence}, and a later one before it`);
      fences.set(endpoint, fence);
      const index = /^api-g(\d+)a/.exec(String(row['api_id']))?.[1] ?? '';
      histories.set(index, [...(histories.get(index) ?? []), toRecorded(row)]);
    }
    return Array.from({ length: gateways }, (_, index) => histories.get(String(index)) ?? []);
  }

  /** Throws an Error if a file still has changes to make. */
  async checkInSync(gateways: number): Promise<void> {
    for (let index = 0; index < gateways; index += 1) {
      const args = ['plan', `gateway${index}.yaml`, '--detailed-exitcode', '--state', this.#state];
      const { code, stdout, stderr } = await edict(args, this.folder, user);
      if (code !== 0) throw new Error(`there is something left to do: exit code ${code}\n${stdout}${stderr}`);
    }
  }

  async #hasUnresolved(): Promise<boolean> {
    const sql = 'SELECT 1 FROM edict.publication WHERE unknown_attempt_id IS NOT NULL LIMIT 1';
    return (await this.#query(sql).catch(() => [{}])).length > 0;
  }

  async #holders(): Promise<(string | null)[]> {
    const sql = 'SELECT CASE WHEN held_until >= clock_timestamp() THEN holder END AS holder FROM edict.gateway';
    return (await this.#query(sql)).map(({ holder }) => holder as string | null);
  }

  async #query(sql: string): Promise<Record<string, unknown>[]> {
    const client = await connect({ url: this.#state, applicationName: 'chaos', queryTimeoutMs: 10_000 });
    try {
      return (await client.query(sql)).rows;
    } finally {
      await disconnect(client);
    }
  }

  /** Ends backoffs, which grow to minutes and would make the test slow. */
  #retryNow(): void {
    if (Date.now() < this.#lastRetryAtMs + 3000) return;
    this.#lastRetryAtMs = Date.now();
    // It would end a process that does not listen for it yet.
    const listening = this.#daemons.filter(({ running }) => running.events('daemon:started').length > 0);
    for (const { running } of listening) running.child.kill('SIGHUP');
  }

  #start(proxy: TcpProxy): Running {
    const state = new URL(this.#state);
    state.host = new URL(proxy.url).host;
    const args = ['run', '.', '--state', state.href, '--debounce', '20ms', '--log-format', 'json', '--log-level', 'debug'];
    return startEdict(args, this.folder, user);
  }

  #lastWords(): string {
    return this.#daemons.map(({ running }) => running.output.stderr.split('\n').slice(-15).join('\n')).join('\n\n');
  }
}
