import { existsSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';

/**
 * Returns every row of every table of the store at `path`, by table; `null` if there is no store. The content and not the bytes:
 * the process that closes a store after a killed one checkpoints its write-ahead log.
 */
export function storeContent(path: string): Readonly<Record<string, readonly unknown[]>> | null {
  if (!existsSync(path)) return null;
  const db = new DatabaseSync(path);
  try {
    const tables = db.prepare("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name").all() as { name: string }[];
    return Object.fromEntries(tables.map(({ name }) => [name, db.prepare(`SELECT * FROM "${name}"`).all()]));
  } finally {
    db.close();
  }
}
