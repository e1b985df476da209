import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
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

/** Reads a UTF-8 file of at most `maxBytes`. Never reads more than one byte beyond that: the path may lead to an endless file. */
export async function readTextFile(path: string, maxBytes: number): Promise<TextFileResult> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of createReadStream(path, { end: maxBytes, highWaterMark: 256 * 1024 })) chunks.push(chunk);
  } catch (cause) {
    return isNotFoundError(cause) ? { kind: 'absent', cause } : { kind: 'unreadable', reason: describeReadError(cause), cause };
  }
  const bytes = Buffer.concat(chunks);
  if (bytes.length > maxBytes) return { kind: 'too large' };
  try {
    return { kind: 'read', text: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes), bytes: bytes.length };
  } catch (cause) {
    return { kind: 'no text', cause };
  }
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
