import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Test } from 'uvu';
import { type Emulator, startEmulator } from '../../src/emulator/emulator.ts';
import { type LoggedDaemon, startLoggedDaemon } from './daemon.ts';
import { fileOf, type Running, scratchFolder, seedOf, startEdict, until } from './edict-process.ts';
import { type PostgresServer, postgresServer } from './postgres.ts';

/** Several instances with one gateway and one PostgreSQL record, each as if on a machine of its own. */
export interface Machines {
  /** The gateway, which has every API of `names`. */
  readonly emulator: Emulator;
  readonly server: PostgresServer;
  /** The URL of the store. */
  readonly state: string;
  /** Ended after the test. */
  readonly running: Running[];
  readonly until: (what: string, condition: () => boolean, withinMs?: number) => Promise<void>;
  /** Returns a new machine: a folder with a file. */
  readonly machine: (states: Readonly<Record<string, string>>, limit?: string) => string;
  /** Starts a daemon on a machine, as a process that can be killed. */
  readonly start: (folder: string) => Running;
  /** Starts a daemon on a machine, in this process. */
  readonly startHere: (folder: string) => Promise<LoggedDaemon>;
  readonly published: () => number;
  /** How many versions the gateway has created: each needless call would create one more. */
  readonly versions: () => number;
}

/** Returns machines that are new for each test of `test`. */
export function machinesFor(test: Test, names: readonly string[]): Machines {
  const here: LoggedDaemon[] = [];
  const at = { running: [] as Running[] } as { server: PostgresServer; emulator: Emulator; state: string; running: Running[] };
  test.before(async () => {
    at.server = await postgresServer();
  });
  test.after(() => at.server.close());
  test.before.each(async () => {
    at.emulator = await startEmulator({ seed: seedOf(...names) });
    at.state = await at.server.database();
  });
  test.after.each(async () => {
    const ended = at.running.splice(0);
    for (const { child } of ended) child.kill('SIGCONT');
    for (const { child } of ended) child.kill('SIGKILL');
    await Promise.all([...ended.map(({ finished }) => finished), ...here.splice(0).map((daemon) => daemon.stop())]);
    await at.emulator.close();
  });
  return Object.assign(at, {
    until: (what: string, condition: () => boolean, withinMs?: number) => until(what, condition, at.running, withinMs),
    machine: (states: Readonly<Record<string, string>>, limit?: string): string => {
      const folder = scratchFolder();
      writeFileSync(join(folder, 'edict.yaml'), fileOf(at.emulator.url, states, limit));
      return folder;
    },
    start: (folder: string): Running => {
      const args = ['run', '--state', at.state, '--log-format', 'json', '--log-level', 'debug', '--debounce', '20ms'];
      const daemon = startEdict(args, folder);
      at.running.push(daemon);
      return daemon;
    },
    startHere: async (folder: string): Promise<LoggedDaemon> => {
      const daemon = await startLoggedDaemon(folder, { state: at.state, debounceMs: 20 });
      here.push(daemon);
      return daemon;
    },
    published: () => at.emulator.state.publications().filter(({ effective }) => effective !== null).length,
    versions: () =>
      at.emulator.requests.all().filter(({ operation, status }) => operation === 'changePublication' && (status ?? 500) < 300).length,
  });
}

/** Returns the states of a file in which each of the APIs `of` is as `wanted`. */
export const all = (wanted: 'online' | 'offline', of: readonly string[]) => Object.fromEntries(of.map((name) => [name, wanted]));
/** Returns whether a daemon has computed a plan, which requires the lease. */
export const isAtWork = (daemon: Pick<Running, 'events'>): boolean => daemon.events('plan:computed').length > 0;
/** Returns whether a daemon has found the lease held by another one. */
export const standsBy = (daemon: Pick<Running, 'events'>): boolean => daemon.events('lease:standby').length > 0;
