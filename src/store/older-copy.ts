import { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import { migrate } from './sqlite-migrations.ts';

/**
 * Returns a copy in memory of the store at `path`, brought from `version` to the current one: a command that only looks must
 * not change the file, and must understand it all the same.
 */
export function upToDateCopy(path: string, version: number, busyMs: number): DatabaseSync {
  const copy = new DatabaseSync(':memory:', { timeout: busyMs, enableForeignKeyConstraints: false });
  try {
    copy.prepare('ATTACH ? AS old').run(`${pathToFileURL(path)}?mode=rw`);
    copy.exec('BEGIN');
    const tables = copy.prepare("SELECT name, sql FROM old.sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'").all();
    for (const { sql } of tables) copy.exec(String(sql));
    for (const { name } of tables) copy.exec(`INSERT INTO main."${name}" SELECT * FROM old."${name}"`);
    copy.exec('COMMIT; DETACH old');
    migrate(copy, version);
    copy.exec('PRAGMA query_only = ON');
    return copy;
  } catch (error) {
    copy.close();
    throw error;
  }
}
