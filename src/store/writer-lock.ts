import { DatabaseSync } from 'node:sqlite';

/** The right to write one store. The operating system takes it back when its process ends, however that happens. */
export interface FileLock {
  release(): void;
}

/**
 * Returns the lock of the store at `path`, or `null` if another process has it. A SQLite file beside the store is what
 * is locked: so other processes can still read the store itself.
 */
export function acquireFileLock(path: string): FileLock | null {
  const db = new DatabaseSync(`${path}.lock`, { timeout: 0 });
  try {
    db.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    db.close();
    if (((error as { errcode?: number }).errcode ?? 0) % 256 === 5) return null;
    throw error;
  }
  return { release: () => db.close() };
}
