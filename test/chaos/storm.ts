import { existsSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { hasMarker } from '../../src/core/marker.ts';
import type { Attempt } from '../../src/core/ports.ts';
import { type Emulator, startEmulator } from '../../src/emulator/emulator.ts';
import { type Random, randomFrom } from '../../src/emulator/random.ts';
import { edict, type Running, scratchFolder, startEdict } from '../support/edict-process.ts';
import { fullestWindow } from './rate.ts';
import { openWay } from './way.ts';
import { rage } from './weather.ts';

export interface StormOptions {
  /** How often the process is killed. */
  readonly kills: number;
  readonly publications: number;
  /** From which everything follows that is left to chance, but for the machine's own timing. */
  readonly seed: number;
  /** Hears how far it has come. */
  readonly say: (line: string) => void;
}

/** What a storm showed. */
export interface Report {
  readonly kills: number;
  /** How often every publication was brought to a new state. */
  readonly rounds: number;
  readonly requests: number;
  readonly versions: number;
  readonly attempts: number;
  /** Attempts whose answer was lost or whose process was killed: found at the gateway, and not found there. */
  readonly found: number;
  readonly absent: number;
  /** The fullest window, of as many as are allowed. */
  readonly fullest: number;
  readonly allowed: number;
  readonly seconds: number;
}

const limit = { calls: 50, perMs: 200, concurrency: 8 };
const longestRoundMs = 120_000;
const user = { HW_USER_NAME: 'ada', HW_USER_PASSWORD: 'hunter2', HW_DOMAIN_NAME: 'acme' };

/** Where one publication should be, and how many versions it should have by now. */
interface Expected {
  state: 'online' | 'offline';
  versions: number;
}

/**
 * Lets edict's daemon bring publications to one state after the other while everything goes wrong and its process is killed
 * again and again. Throws an Error that says what was lost, doubled, too fast or not recorded.
 */
export async function storm({ kills, publications, seed, say }: StormOptions): Promise<Report> {
  const startedAtMs = Date.now();
  const random = randomFrom(seed);
  const names = Array.from({ length: publications }, (_, index) => `a${index}`);
  const emulator = await startEmulator({
    seed: {
      project: 'project',
      instance: 'instance',
      apis: names.map((name) => ({ id: `api-${name}`, name })),
      environments: [{ id: 'env-test', name: 'test' }],
      users: [{ name: 'ada', password: 'hunter2', domain: 'acme' }],
    },
    tokenLifeMs: 5000,
    readLagMs: 200,
    random: seed,
  });
  const folder = scratchFolder();
  const ending = new AbortController();
  await using way = await openWay(emulator.url);
  const expected = new Map<string, Expected>(names.map((name) => [`api-${name}`, { state: 'offline', versions: 0 }]));
  const raging = rage(emulator, way, randomFrom(seed + 1), ending.signal);
  const daemon = new MortalDaemon(folder, kills, random, say);
  let rounds = 0;
  try {
    while (rounds === 0 || daemon.killsLeft > 0) {
      rounds += 1;
      writeRound(folder, way.url, rounds, expected, random);
      await daemon.untilCalm(() => isReached(emulator, expected), `round ${rounds} is reached`);
    }
  } finally {
    ending.abort();
    await raging;
    await daemon.stop();
    await emulator.close();
  }
  const history = readHistory(folder);
  checkRecord(history, emulator, expected);
  await checkInSync(folder);
  const requests = emulator.requests.all();
  const fullest = fullestWindow(
    requests.map(({ atMs }) => atMs),
    limit.perMs,
  );
  if (fullest > limit.calls) throw new Error(`a window of ${limit.perMs} ms held ${fullest} requests, and ${limit.calls} are allowed`);
  const outcomes = (wanted: Attempt['outcome'], isLate: boolean): number =>
    history.filter(({ outcome, code, settledLate }) => outcome === wanted && (!isLate || code !== null || settledLate)).length;
  return {
    kills: daemon.kills,
    rounds,
    requests: requests.length,
    versions: [...expected.values()].reduce((sum, { versions }) => sum + versions, 0),
    attempts: history.length,
    found: outcomes('succeeded', true),
    absent: outcomes('absent', false),
    fullest,
    allowed: limit.calls,
    seconds: Math.round((Date.now() - startedAtMs) / 1000),
  };
}

/** The daemon, started again whenever it has been killed. */
class MortalDaemon {
  readonly #folder: string;
  readonly #random: Random;
  readonly #say: (line: string) => void;
  killsLeft: number;
  kills = 0;
  /** When the process was last told not to wait, or began: before it listens, the signal would end it. */
  #hastenedAtMs = 0;
  #running: Running | null = null;
  /** What the process before wrote. */
  #log = '';

  constructor(folder: string, kills: number, random: Random, say: (line: string) => void) {
    this.#folder = folder;
    this.killsLeft = kills;
    this.#random = random;
    this.#say = say;
  }

  /** Resolves when `isReached` holds and nothing is left to do, killing the process at random until then. Throws if it takes too long. */
  async untilCalm(isReached: () => boolean, what: string): Promise<void> {
    const deadlineMs = Date.now() + longestRoundMs;
    for (;;) {
      if (Date.now() > deadlineMs) throw new Error(`waited ${longestRoundMs / 1000} s in vain until ${what}\n${this.#lastWords()}`);
      if (isReached() && !hasUnresolved(this.#folder)) return;
      this.#running ??= this.#start();
      const { child } = this.#running;
      await sleep(this.killsLeft > 0 ? 20 + this.#random() * 1200 : 100);
      if (child.exitCode !== null) throw new Error(`edict ended by itself with ${child.exitCode}\n${this.#lastWords()}`);
      if (this.killsLeft > 0) await this.#kill();
      else this.#hasten();
    }
  }

  async stop(): Promise<void> {
    this.#running?.child.kill('SIGTERM');
    await this.#running?.finished;
  }

  /** What has failed often waits up to minutes, which is longer than anybody wants to watch. */
  #hasten(): void {
    if (Date.now() < this.#hastenedAtMs + 3000) return;
    this.#hastenedAtMs = Date.now();
    this.#running?.child.kill('SIGHUP');
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
    this.#hastenedAtMs = Date.now();
    return startEdict(['run', '--debounce', '20ms', '--log-format', 'json', '--log-level', 'debug'], this.#folder, user);
  }

  #lastWords(): string {
    return this.#log.split('\n').slice(-40).join('\n');
  }
}

/** Asks for something new of every publication: a new version, or to be offline. */
function writeRound(folder: string, endpoint: string, round: number, expected: Map<string, Expected>, random: Random): void {
  const apis = [...expected].map(([id, publication]) => {
    publication.state = random() < 0.75 ? 'online' : 'offline';
    if (publication.state === 'online') publication.versions += 1;
    return `  ${id}: { id: ${id}, revision: r${round}, environments: { test: ${publication.state} } }\n`;
  });
  const { calls, perMs, concurrency } = limit;
  const settings = `limit: { calls: ${calls}, per: ${perMs}ms, concurrency: ${concurrency} }, timeout: 700ms, lag: 1s`;
  const gateway = `gateway: { endpoint: "${endpoint}", iam: "${endpoint}", project: project, instance: instance, ${settings} }\n`;
  const file = join(folder, 'edict.yaml');
  writeFileSync(
    `${file}.new`,
    `edict: 1\n${gateway}environments: { test: env-test }\nguards: { maxOffline: 100%, maxLost: 100% }\napis:\n${apis.join('')}`,
  );
  renameSync(`${file}.new`, file);
}

/** Returns whether the gateway is as expected. Throws an Error if a publication has more versions than were ever wanted. */
function isReached(emulator: Emulator, expected: ReadonlyMap<string, Expected>): boolean {
  const found = new Map(emulator.world.publications().map((publication) => [publication.api, publication]));
  let isReached = true;
  for (const [api, { state, versions }] of expected) {
    const { effective = null, onlineCalls = 0 } = found.get(api) ?? {};
    if (onlineCalls > versions) throw new Error(`${api} has ${onlineCalls} versions, and ${versions} were wanted`);
    if ((effective !== null) !== (state === 'online') || onlineCalls < versions) isReached = false;
  }
  return isReached;
}

interface Recorded extends Pick<Attempt, 'outcome' | 'code' | 'marker' | 'apiId' | 'action'> {
  /** Settled long after its begin: by a later process, or a later look. */
  readonly settledLate: boolean;
}

function open(folder: string): DatabaseSync {
  return new DatabaseSync(join(folder, '.edict/state.db'), { readOnly: true, timeout: 5000 });
}

function hasUnresolved(folder: string): boolean {
  if (!existsSync(join(folder, '.edict/state.db'))) return false;
  using db = open(folder);
  return db.prepare('SELECT 1 FROM publication WHERE unresolved_attempt_id IS NOT NULL LIMIT 1').get() !== undefined;
}

function readHistory(folder: string): Recorded[] {
  using db = open(folder);
  const rows = db.prepare('SELECT api_id, action, outcome, code, marker, settled_at_ms - began_at_ms AS took FROM attempt').all();
  return rows.map((row) => ({
    apiId: String(row['api_id']),
    action: row['action'] as Attempt['action'],
    outcome: row['outcome'] as Attempt['outcome'],
    code: row['code'] as string | null,
    marker: row['marker'] as string | null,
    settledLate: Number(row['took']) > 1000,
  }));
}

/** Every request is in the history, and every attempt has an outcome. */
function checkRecord(history: readonly Recorded[], emulator: Emulator, expected: ReadonlyMap<string, Expected>): void {
  const markers = new Set(history.map(({ marker }) => marker));
  const markerOf = (remark: string): string | null => /\[edict ([0-9a-f]+)\]$/.exec(remark)?.[1] ?? null;
  const offline = new Map<string, number>();
  for (const { operation, action, api = '', remark = '' } of emulator.requests.all()) {
    if (operation !== 'changePublication') continue;
    if (action === 'offline') offline.set(api, (offline.get(api) ?? 0) + 1);
    else if (!markers.has(markerOf(remark))) throw new Error(`a request for ${api} with the remark ${remark} is not in the history`);
  }
  for (const api of offline.keys()) {
    if (!history.some(({ apiId, action }) => apiId === api && action === 'offline'))
      throw new Error(`an offline of ${api} is not in the history`);
  }
  const open = history.filter(({ outcome }) => outcome === null || outcome === 'unknown').length;
  if (open > 0) throw new Error(`${open} attempts have no outcome`);
  for (const { api, versions } of emulator.world.publications()) {
    for (const version of versions) {
      if (!history.some(({ marker }) => marker !== null && hasMarker(version.remark, marker)))
        throw new Error(`a version of ${api} is of no attempt`);
    }
  }
  for (const [api, { versions }] of expected) {
    const succeeded = history.filter(
      ({ apiId, action, outcome }) => apiId === api && action === 'online' && outcome === 'succeeded',
    ).length;
    if (succeeded !== versions) throw new Error(`${api} has ${succeeded} successful attempts and ${versions} versions`);
  }
}

async function checkInSync(folder: string): Promise<void> {
  const { code, stdout } = await edict(['plan', '--detailed-exitcode'], folder, user);
  if (code !== 0) throw new Error(`there is something left to do: exit code ${code}\n${stdout}`);
}
