import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Random, seededRandom } from '../../src/emulator/random.ts';
import { edict } from '../support/edict-command.ts';
import { type Running, scratchFolder, startEdict, terminate } from '../support/edict-process.ts';
import { FaultyGateway, late, limit, type Recorded, toRecorded, user } from './faulty-gateway.ts';
import { tamperWithStore } from './tampering.ts';

export interface ChaosOptions {
  /** How often the process is killed. */
  readonly kills: number;
  readonly publications: number;
  /** The seed of everything random except the timing of the machine. */
  readonly seed: number;
  /** Receives the progress. */
  readonly say: (line: string) => void;
}

/** The result of a run with one daemon. */
export interface Report {
  readonly kills: number;
  /** How often the process was killed, and a file of its store changed while it ran. */
  readonly harm: Readonly<Record<string, number>>;
  /** How often every publication was brought to a new state. */
  readonly rounds: number;
  readonly requests: number;
  readonly versions: number;
  readonly attempts: number;
  /** Attempts whose response was lost or whose process was killed: those that had taken effect, and those that had not. */
  readonly found: number;
  readonly absent: number;
  /** The fullest window, and the limit. */
  readonly fullest: number;
  readonly allowed: number;
  readonly seconds: number;
}

const longestRoundMs = 120_000;

/** How many of the kills wait until the process makes calls: on a loaded machine all would hit its start. */
const busyShare = 0.4;

/** Before how many of those somebody changes a file of its store. */
const tamperingShare = 0.2;

/**
 * Has the daemon bring publications from one state to the next under faults while its process is killed
 * repeatedly. Throws an Error that says what was lost, repeated, too fast or not recorded.
 */
export async function runOneDaemon({ kills, publications, seed, say }: ChaosOptions): Promise<Report> {
  const startedAtMs = Date.now();
  const random = seededRandom(seed);
  await using gateway = await FaultyGateway.open('a', publications, seed);
  const folder = scratchFolder();
  const daemon = new MortalDaemon(folder, kills, random, say);
  let rounds = 0;
  try {
    while (rounds === 0 || daemon.killsLeft > 0) {
      rounds += 1;
      const saved = gateway.write(join(folder, 'edict.yaml'), rounds, random);
      await Promise.all([saved, daemon.untilCalm(() => gateway.isReached(), `round ${rounds} is reached`)]);
    }
  } finally {
    await gateway.endFaults();
    await daemon.stop();
  }
  const history = readHistory(folder);
  gateway.check(history);
  await checkInSync(folder);
  return {
    kills: daemon.kills,
    harm: { killed: daemon.kills, 'store file changed': daemon.tamperings },
    rounds,
    requests: gateway.emulator.requests.all().length,
    versions: gateway.versions,
    attempts: history.length,
    ...late(history),
    fullest: gateway.fullest(),
    allowed: limit.calls,
    seconds: Math.round((Date.now() - startedAtMs) / 1000),
  };
}

/** The daemon, which is restarted whenever it was killed. */
class MortalDaemon {
  readonly #folder: string;
  readonly #random: Random;
  readonly #say: (line: string) => void;
  killsLeft: number;
  kills = 0;
  tamperings = 0;
  /** When the process last got SIGHUP. */
  #lastRetryAtMs = 0;
  #running: Running | null = null;
  /** The output of the previous process. */
  #log = '';

  constructor(folder: string, kills: number, random: Random, say: (line: string) => void) {
    this.#folder = folder;
    this.killsLeft = kills;
    this.#random = random;
    this.#say = say;
  }

  /** Resolves when `isReached` holds and nothing is left to do, killing the process at random until then. Throws if it takes too long. */
  async untilCalm(isReached: () => boolean, what: string): Promise<void> {
    let deadlineMs = 0;
    for (;;) {
      // While it is killed, it may get nothing done.
      if (this.killsLeft > 0 || deadlineMs === 0) deadlineMs = Date.now() + longestRoundMs;
      if (Date.now() > deadlineMs) throw new Error(`waited ${longestRoundMs / 1000} s in vain until ${what}\n${this.#lastWords()}`);
      if (isReached() && !hasUnresolved(this.#folder)) return;
      this.#running ??= this.#start();
      const { child } = this.#running;
      // Mostly it dies young; sometimes it lives long enough to find out about the attempts of those before.
      await sleep(this.killsLeft > 0 ? 20 + this.#random() ** 4 * 6000 : 100);
      if (child.exitCode !== null || child.signalCode !== null)
        throw new Error(`edict ended by itself with ${child.exitCode ?? child.signalCode}\n${this.#lastWords()}`);
      if (this.killsLeft === 0) this.#retryNow();
      else {
        if (this.#random() < busyShare && (await isBusy(this.#running)) && this.#random() < tamperingShare) {
          await tamperWithStore(this.#running, this.#folder, this.#random);
          this.tamperings += 1;
        }
        await this.#kill();
      }
    }
  }

  async stop(): Promise<void> {
    if (this.#running) await terminate(this.#running);
  }

  /** Ends backoffs, which grow to minutes and would make the test slow. */
  #retryNow(): void {
    if (Date.now() < this.#lastRetryAtMs + 3000) return;
    this.#lastRetryAtMs = Date.now();
    // It would end a process that does not listen for it yet.
    if (this.#running && this.#running.events('daemon:started').length > 0) this.#running.child.kill('SIGHUP');
  }

  async #kill(): Promise<void> {
    this.#running?.child.kill('SIGKILL');
    this.#log = (await this.#running?.finished)?.stderr ?? '';
    this.#running = null;
    this.killsLeft -= 1;
    this.kills += 1;
    if (this.kills % 50 === 0) this.#say(`${this.kills} kills`);
  }

  #start(): Running {
    return startEdict(['run', '--debounce', '20ms', '--log-format', 'json', '--log-level', 'debug'], this.#folder, user);
  }

  #lastWords(): string {
    return this.#log.split('\n').slice(-40).join('\n');
  }
}

/** Resolves to whether the process begins an attempt within two seconds. */
async function isBusy({ events }: Running): Promise<boolean> {
  const startedBefore = events('attempt:started').length;
  const deadlineMs = Date.now() + 2000;
  while (events('attempt:started').length === startedBefore && Date.now() < deadlineMs) await sleep(10);
  return events('attempt:started').length > startedBefore;
}

function open(folder: string): DatabaseSync {
  return new DatabaseSync(join(folder, '.edict/state.db'), { readOnly: true, timeout: 5000 });
}

function hasUnresolved(folder: string): boolean {
  if (!existsSync(join(folder, '.edict/state.db'))) return false;
  using db = open(folder);
  return db.prepare('SELECT 1 FROM publication WHERE unknown_attempt_id IS NOT NULL LIMIT 1').get() !== undefined;
}

function readHistory(folder: string): Recorded[] {
  using db = open(folder);
  const rows = db.prepare('SELECT api_id, action, outcome, code, marker, finished_at_ms - started_at_ms AS took FROM attempt').all();
  return rows.map(toRecorded);
}

async function checkInSync(folder: string): Promise<void> {
  const { code, stdout } = await edict(['plan', '--detailed-exitcode'], folder, user);
  if (code !== 0) throw new Error(`there is something left to do: exit code ${code}\n${stdout}`);
}
