import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { errorMessage } from '../model/errors.ts';
import type { SourceLocation } from '../model/publication.ts';

/** What came of reading a file: its text, or why there is none, so that it reads well after "the file". */
export type TextFileResult =
  | { readonly kind: 'read'; readonly text: string; readonly bytes: number }
  | { readonly kind: 'absent'; readonly cause: unknown }
  | { readonly kind: 'too large' }
  | { readonly kind: 'no text'; readonly cause: unknown }
  | { readonly kind: 'unreadable'; readonly reason: string; readonly cause: unknown };

/** Reads the UTF-8 text of a file of at most `maxBytes`. Never reads more than one beyond these: the path may lead to a file without end. */
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

/** Returns whether an error of the file system says that there is nothing under a path. */
export function isNotFoundError(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code;
  return code === 'ENOENT' || code === 'ENOTDIR';
}

/** Returns for a person why a path cannot be read. */
export function describeReadError(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code;
  return code === 'EISDIR' ? 'it is a directory' : code === 'EACCES' ? 'permission denied' : errorMessage(error);
}

/** Resolves to the text of the line in which something stands; `null` if the file has changed so that it is gone. */
export async function readSourceLine({ file, line }: SourceLocation): Promise<string | null> {
  const text = await readFile(resolve(file), 'utf8').catch(() => null);
  return text?.split(/\r\n|\r|\n/)[line - 1] ?? null;
}
