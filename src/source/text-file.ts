import { constants } from 'node:fs';
import { type FileHandle, open, readlink } from 'node:fs/promises';
import { errorMessage } from '../model/errors.ts';

/** The text of a file, and which one was open. */
export interface ReadText {
  readonly kind: 'read';
  readonly text: string;
  readonly bytes: number;
  readonly opened: OpenedFile;
}

interface OpenedFile {
  /** Device and inode. */
  readonly identity: string;
  /** Where the file is, as Linux reports it; `null` elsewhere. */
  readonly path: string | null;
}

interface AbsentFile {
  readonly kind: 'absent';
  readonly cause: unknown;
}

/** `reason` completes a sentence about "the file". */
interface UnreadableFile {
  readonly kind: 'unreadable';
  readonly reason: string;
  readonly cause: unknown;
}

/** Why there is no path to a file that could be read. */
export type NoPath = AbsentFile | UnreadableFile;

/** Why there is no text. */
export type NoText = NoPath | { readonly kind: 'too large' } | { readonly kind: 'no text'; readonly cause: unknown };

/** The result of reading a file. */
export type TextFileResult = ReadText | NoText;

/** Size of one read. */
const chunkBytes = 256 * 1024;

/**
 * Reads a regular UTF-8 file of at most `maxBytes`, and never more than one byte beyond that: the file may grow while it is read. A symbolic
 * link is not followed.
 */
export async function readTextFile(path: string, maxBytes: number): Promise<TextFileResult> {
  let content: RegularFile | null;
  try {
    // Opening a pipe that nobody writes to would block forever without O_NONBLOCK.
    await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
    content = await readRegularFile(file, maxBytes + 1);
  } catch (cause) {
    return isNotFoundError(cause) ? { kind: 'absent', cause } : toUnreadable(cause);
  }
  if (content === null) return { kind: 'unreadable', reason: 'it is not a regular file', cause: null };
  const { bytes, opened } = content;
  if (bytes.length > maxBytes) return { kind: 'too large' };
  try {
    return { kind: 'read', text: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes), bytes: bytes.length, opened };
  } catch (cause) {
    return { kind: 'no text', cause };
  }
}

interface RegularFile {
  readonly bytes: Buffer;
  readonly opened: OpenedFile;
}

/** Returns up to `maxBytes` from the start of a regular file; `null` for a pipe, a device or another kind of file. */
async function readRegularFile(file: FileHandle, maxBytes: number): Promise<RegularFile | null> {
  const stats = await file.stat({ bigint: true });
  if (!stats.isFile() && !stats.isDirectory()) return null;
  const chunks: Buffer[] = [];
  for (let rest = maxBytes; rest > 0; ) {
    const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(Math.min(rest, chunkBytes)));
    if (bytesRead === 0) break;
    chunks.push(buffer.subarray(0, bytesRead));
    rest -= bytesRead;
  }
  return { bytes: Buffer.concat(chunks), opened: { identity: `${stats.dev}:${stats.ino}`, path: await openedPath(file) } };
}

/** Returns where an open file or folder is, whatever its path leads to meanwhile, as Linux reports it; `null` elsewhere. */
export async function openedPath({ fd }: FileHandle): Promise<string | null> {
  return readlink(`/proc/self/fd/${fd}`).catch(() => null);
}

/** Returns whether a file system error means that nothing exists at a path, or that nothing can: it is too long. */
export function isNotFoundError(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code;
  return code === 'ENOENT' || code === 'ENOTDIR' || code === 'ENAMETOOLONG';
}

/** Returns the result for a file that cannot be read. */
export function toUnreadable(cause: unknown): UnreadableFile {
  return { kind: 'unreadable', reason: describeReadError(cause), cause };
}

/** Describes why a path cannot be read. */
export function describeReadError(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code;
  return code === 'EISDIR' ? 'it is a directory' : code === 'EACCES' ? 'permission denied' : errorMessage(error);
}
