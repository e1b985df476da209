import { join } from 'node:path';
import type { Test } from 'uvu';
import { scratchFolder } from './edict-process.ts';
import { type PostgresServer, postgresServer } from './postgres.ts';

/** A database engine for stores. */
export interface StoreEngine {
  readonly name: 'sqlite' | 'postgres';
  /** Returns the URL of a store that does not exist yet. */
  readonly make: () => Promise<string>;
}

/** Returns every engine, for the tests in `test` alone: a server of its own runs from before the first to after the last. */
export function storeEngines(test: Test): readonly StoreEngine[] {
  let server: PostgresServer;
  test.before(async () => {
    server = await postgresServer();
  });
  test.after(() => server.close());
  return [
    { name: 'sqlite', make: async () => `sqlite:${join(scratchFolder(), 'state.db')}` },
    { name: 'postgres', make: () => server.database() },
  ];
}
