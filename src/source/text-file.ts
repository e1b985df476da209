import { constants } from 'node:fs';
import { type FileHandle, open, readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { SourceLocation } from '../model/desired-state.ts';
import { errorMessage } from '../model/errors.ts';

/** The result of reading a file: its text, or a reason that completes a sentence about "the file". */
export type TextFileResult =
  | { readonly kind: 'read'; readonly text: string; readonly bytes: number }
  | { readonly kind: 'absent'; readonly cause: unknown }
  | { readonly kind: 'too large' }
  | { readonly kind: 'no text'; readonly cause: unknown }
  | { readonly kind: 'unreadable'; readonly reason: string; readonly cause: unknown };

/** Size of one read. */
const chunkBytes = 256 * 1024;

/** Reads a regular UTF-8 file of at most `maxBytes`, and never more than one byte beyond that: the file may grow while it is read. */
export async function readTextFile(path: string, maxBytes: number): Promise<TextFileResult> {
  let bytes: Buffer | null;
  try {
    // Opening a pipe that nobody writes to would block forever without O_NONBLOCK.
    await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    bytes = await readRegularFile(file, maxBytes + 1);
  } catch (cause) {
    return isNotFoundError(cause) ? { kind: 'absent', cause } : { kind: 'unreadable', reason: describeReadError(cause), cause };
  }
  if (bytes === null) return { kind: 'unreadable', reason: 'it is not a regular file', cause: null };
  if (bytes.length > maxBytes) return { kind: 'too large' };
  try {
    return { kind: 'read', text: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes), bytes: bytes.length };
  } catch (cause) {
    return { kind: 'no text', cause };
  }
}

/** Returns up to `maxBytes` from the start of a regular file; `null` for a pipe, a device or another kind of file. */
async function readRegularFile(file: FileHandle, maxBytes: number): Promise<Buffer | null> {
  const stats = await file.stat();
  if (!stats.isFile() && !stats.isDirectory()) return null;
  const chunks: Buffer[] = [];
  for (let rest = maxBytes; rest > 0; ) {
    const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(Math.min(rest, chunkBytes)));
    if (bytesRead === 0) break;
    chunks.push(buffer.subarray(0, bytesRead));
    rest -= bytesRead;
  }
  return Buffer.concat(chunks);
}

/** Returns whether a file system error means that nothing exists at a path. */
export function isNotFoundError(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code;
  return code === 'ENOENT' || code === 'ENOTDIR';
}

/** Describes why a path cannot be read. */
export function describeReadError(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code;
  return code === 'EISDIR' ? 'it is a directory' : code === 'EACCES' ? 'permission denied' : errorMessage(error);
}

/** Resolves to the text of the line at `source`; `null` if the line no longer exists. */
export async function readSourceLine({ file, line }: SourceLocation): Promise<string | null> {
  const text = await readFile(resolve(file), 'utf8').catch(() => null);
  return text?.split(/\r\n|\r|\n/)[line - 1] ?? null;
}
