import { AsyncLocalStorage } from 'node:async_hooks';
import { DatabaseSync, StatementSync } from 'node:sqlite';
import { Agent } from 'undici';
import { SqliteDatabase } from '../../src/store/sqlite/database.ts';

/** A command that crashes. */
interface Run {
  readonly at: number;
  readonly onCrash: () => void;
  readonly opened: Set<DatabaseSync>;
  readonly agents: Set<Agent>;
  writes: number;
  hasCrashed: boolean;
}

const runs = new AsyncLocalStorage<Run>();

/**
 * Runs a command in this process until just before its write number `at` (from 1) to any SQLite file, and leaves the state that SIGKILL leaves:
 * open transactions are rolled back, locks are free, no further request is sent, and the command never continues. Reads and settings do not count.
 * Resolves to whether it got that far.
 */
export async function crashAtWrite(at: number, command: () => Promise<unknown>): Promise<boolean> {
  patch();
  const { promise: crashed, resolve: onCrash } = Promise.withResolvers<void>();
  const run: Run = { at, onCrash, opened: new Set(), agents: new Set(), writes: 0, hasCrashed: false };
  await Promise.race([runs.run(run, command), crashed]);
  return run.hasCrashed;
}

/** Counts a write to `db`, and crashes if it is the one. */
function count(db: DatabaseSync): void {
  const run = runs.getStore();
  if (run === undefined) return;
  run.opened.add(db);
  run.writes += 1;
  if (run.writes !== run.at) return;
  run.hasCrashed = true;
  for (const open of run.opened) if (open.isOpen) open.close();
  for (const agent of run.agents) void agent.destroy();
  run.onCrash();
  throw new Error('crashed');
}

/** Returns a promise that settles like `promise`, but never after a crash. */
function unlessCrashed<T>(promise: Promise<T>): Promise<T> {
  const run = runs.getStore();
  if (run === undefined) return promise;
  return new Promise((resolve, reject) => {
    promise.then(
      (value) => {
        if (!run.hasCrashed) resolve(value);
      },
      (error: unknown) => {
        if (!run.hasCrashed) reject(error);
      },
    );
  });
}

let isPatched = false;

function patch(): void {
  if (isPatched) return;
  isPatched = true;
  process.setMaxListeners(0); // crashed commands never remove their signal listeners
  const owners = new WeakMap<StatementSync, DatabaseSync>();
  const { exec, prepare } = DatabaseSync.prototype;
  DatabaseSync.prototype.exec = function (this: DatabaseSync, sql: string): void {
    if (!/^\s*PRAGMA (?:journal|query|synchronous)/.test(sql)) count(this);
    exec.call(this, sql);
  };
  DatabaseSync.prototype.prepare = function (this: DatabaseSync, ...args: Parameters<typeof prepare>) {
    const statement = prepare.apply(this, args);
    owners.set(statement, this);
    return statement;
  };
  const { run, all } = StatementSync.prototype;
  const countOf = (statement: StatementSync): void => {
    const db = owners.get(statement);
    if (db) count(db);
  };
  StatementSync.prototype.run = function (this: StatementSync, ...values: Parameters<typeof run>) {
    countOf(this);
    return run.apply(this, values);
  } as typeof run;
  StatementSync.prototype.all = function (this: StatementSync, ...values: Parameters<typeof all>) {
    if (!/^\s*select\b/i.test(this.sourceSQL)) countOf(this);
    return all.apply(this, values);
  } as typeof all;
  const { read, write, close } = SqliteDatabase.prototype;
  SqliteDatabase.prototype.read = function (this: SqliteDatabase, statement) {
    return unlessCrashed(read.call(this, statement));
  };
  SqliteDatabase.prototype.write = function (this: SqliteDatabase, statements) {
    return unlessCrashed(write.call(this, statements));
  };
  SqliteDatabase.prototype.close = function (this: SqliteDatabase) {
    return unlessCrashed(close.call(this));
  };
  const { dispatch } = Agent.prototype;
  Agent.prototype.dispatch = function (this: Agent, ...args: Parameters<typeof dispatch>) {
    const run = runs.getStore();
    run?.agents.add(this);
    return run?.hasCrashed ? true : dispatch.apply(this, args);
  };
}
