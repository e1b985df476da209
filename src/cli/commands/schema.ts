import { readFile } from 'node:fs/promises';
import { type ExitCode, exitCodes } from '../../model/errors.ts';
import type { CliContext } from '../context.ts';

/** The paths of the schemas that can be printed, relative to this file. */
export const schemaPaths = {
  file: '../../../spec/edict.schema.json',
  included: '../../../generated/edict-included.schema.json',
  plan: '../../../spec/plan.schema.json',
  apply: '../../../spec/apply.schema.json',
  notification: '../../../spec/notification.schema.json',
} as const;

/** Prints a JSON Schema. Returns 0. */
export async function schema(of: keyof typeof schemaPaths, { stdout }: CliContext): Promise<ExitCode> {
  stdout.write(await readFile(new URL(schemaPaths[of], import.meta.url), 'utf8'));
  return exitCodes.done;
}
