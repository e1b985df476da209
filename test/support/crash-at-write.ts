/**
 * For `node --import`: kills the process with SIGKILL just before its write number `EDICT_CRASH_AT` (from 1) to any SQLite
 * file, like a power cut. Reads and settings do not count.
 */
import { DatabaseSync, StatementSync } from 'node:sqlite';

const crashAt = Number(process.env['EDICT_CRASH_AT']);
let writes = 0;

const dieIfDue = (): void => {
  writes += 1;
  if (writes === crashAt) process.kill(process.pid, 'SIGKILL');
};

const { exec } = DatabaseSync.prototype;
DatabaseSync.prototype.exec = function (this: DatabaseSync, sql: string): void {
  if (!/^\s*PRAGMA (?:journal|query|synchronous)/.test(sql)) dieIfDue();
  exec.call(this, sql);
};
const { run } = StatementSync.prototype;
StatementSync.prototype.run = function (this: StatementSync, ...values: Parameters<typeof run>) {
  dieIfDue();
  return run.apply(this, values);
} as typeof run;
const { all } = StatementSync.prototype;
StatementSync.prototype.all = function (this: StatementSync, ...values: Parameters<typeof all>) {
  if (!/^\s*select\b/i.test(this.sourceSQL)) dieIfDue();
  return all.apply(this, values);
} as typeof all;
