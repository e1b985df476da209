import { copyFileSync, existsSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pickRandom, type Random } from '../../src/emulator/random.ts';
import { edict, type Running, until } from '../support/edict-process.ts';
import { user } from './faulty-gateway.ts';

/** The files of a store: database, write-ahead log, its index, and lock. */
const suffixes = ['', '-wal', '-shm', '.lock'] as const;

/** How somebody changes one of the files at `file`. `backup` is a copy of the database from an earlier process. */
const waysToTamper: Readonly<Record<string, (file: string, backup: string) => void>> = {
  'is deleted': (file) => rmSync(file),
  'is replaced by its copy': (file) => {
    copyFileSync(file, `${file}.copy`);
    renameSync(`${file}.copy`, file);
  },
  'is replaced by an empty file': (file) => {
    rmSync(file);
    writeFileSync(file, '');
  },
};
const waysToRestore: typeof waysToTamper = {
  'is replaced by a backup': (file, backup) => {
    copyFileSync(backup, `${file}.copy`);
    renameSync(`${file}.copy`, file);
  },
  'is overwritten with a backup': (file, backup) => copyFileSync(backup, file),
};

/**
 * Changes a file of the store under a running daemon, then kills the daemon and puts the right files in place. Throws an Error unless the daemon
 * says what happened and begins no further attempt, and a second process is kept out all the time.
 */
export async function tamperWithStore(daemon: Running, folder: string, random: Random): Promise<void> {
  const path = join(folder, '.edict/state.db');
  const backup = `${path}.backup`;
  const { child } = daemon;
  child.kill('SIGSTOP');
  await sleep(20);
  const kept = suffixes.filter((suffix) => existsSync(`${path}${suffix}`));
  for (const suffix of kept) copyFileSync(`${path}${suffix}`, `${path}${suffix}.kept`);
  const suffix = pickRandom(suffixes, random);
  const ways = Object.entries({ ...waysToTamper, ...(suffix === '' && existsSync(backup) && waysToRestore) });
  const [how, tamper] = pickRandom(ways, random);
  tamper(`${path}${suffix}`, backup);
  child.kill('SIGCONT');
  const what = `state.db${suffix} ${how}`;

  // The record is checked when it is written, so something must be left to do.
  const retrying = setInterval(() => child.kill('SIGHUP'), 1000);
  const readers = [edict(['status'], folder, user), edict(['apply'], folder, user)];
  await until(`the daemon says that ${what}`, () => storeErrorAt(daemon) !== -1, [daemon], 20_000).finally(() => clearInterval(retrying));
  readers.push(edict(['apply'], folder, user));
  const [, ...applied] = await Promise.all(readers);
  for (const { code, stderr } of applied)
    if (code !== 1 || !stderr.includes(path)) throw new Error(`a second process got in after ${what}: ${stderr}`);
  const later = daemon.output.stderr.slice(storeErrorAt(daemon));
  if (later.includes('"event":"attempt:started"')) throw new Error(`the daemon began an attempt after ${what}: ${later}`);
  child.kill('SIGKILL');
  await daemon.finished;

  // A daemon whose database is still in place has saved in it what the log held.
  rmSync(`${path}-shm`, { force: true });
  if (suffix === '-wal') rmSync(`${path}-wal`, { force: true });
  if (suffix === '')
    for (const one of ['', '-wal']) if (existsSync(`${path}${one}.kept`)) renameSync(`${path}${one}.kept`, `${path}${one}`);
  copyFileSync(path, backup);
}

/** Returns where the log of the daemon says that a file of the store is not the one it opened; -1 if nowhere. */
function storeErrorAt({ output: { stderr } }: Running): number {
  return stderr.search(/"event":"store:error".*(?:was deleted or replaced|was overwritten|is damaged)/);
}
