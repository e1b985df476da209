import { randomBytes } from 'node:crypto';
import { open, rename, rm } from 'node:fs/promises';

/** The content to write, and how to write it. */
export interface AtomicFile {
  readonly text: string;
  /** The mode of the file; the umask applies. */
  readonly mode: number;
  /** Called when the text is on the disk, before it gets its name. */
  readonly beforeRename?: () => Promise<void>;
}

/** Writes a file that either has its whole text or does not exist: into a temporary file beside it, which is then renamed. Rejects with the error of the file system. */
export async function writeFileAtomically(path: string, { text, mode, beforeRename }: AtomicFile): Promise<void> {
  const temporaryPath = `${path}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    const file = await open(temporaryPath, 'wx', mode);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await beforeRename?.();
    await rename(temporaryPath, path);
  } catch (error) {
    await rm(temporaryPath, { force: true });
    throw error;
  }
}
