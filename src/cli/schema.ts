import { readFile } from 'node:fs/promises';
import { type ExitCode, exitCodes } from '../core/errors.ts';
import type { Context } from './context.ts';

/** Prints the JSON Schema of the file. Returns 0. */
export async function schema({ stdout }: Context): Promise<ExitCode> {
  stdout.write(await readFile(new URL('../../spec/edict.schema.json', import.meta.url), 'utf8'));
  return exitCodes.done;
}
