import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { SourceLocation } from '../core/publication.ts';

/** Resolves to the text of the line in which something stands; `null` if the file has changed so that it is gone. */
export async function readSourceLine({ file, line }: SourceLocation): Promise<string | null> {
  const text = await readFile(resolve(file), 'utf8').catch(() => null);
  return text?.split(/\r\n|\r|\n/)[line - 1] ?? null;
}
