import { readFile } from 'node:fs/promises';
import { type ExitCode, exitCodes } from '../core/errors.ts';
import type { Context } from './context.ts';

/** Prints the JSON Schema of the file, or with `included` of one that it includes. Returns 0. */
export async function schema({ included = false }: { readonly included?: boolean }, { stdout }: Context): Promise<ExitCode> {
  const path = included ? '../../generated/edict-included.schema.json' : '../../spec/edict.schema.json';
  stdout.write(await readFile(new URL(path, import.meta.url), 'utf8'));
  return exitCodes.done;
}
