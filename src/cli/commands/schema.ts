import { readFileSync } from 'node:fs';
import { Argument, type Command } from 'commander';
import { type ExitCode, exitCodes } from '../../model/errors.ts';
import type { CliContext } from '../context.ts';
import type { Finish } from '../options.ts';
import { writeExact } from '../output/terminal.ts';

/** The paths of the schemas that can be printed, relative to this file. */
export const schemaPaths = {
  file: '../../../spec/edict.schema.json',
  included: '../../../generated/edict-included.schema.json',
  plan: '../../../spec/plan.schema.json',
  apply: '../../../generated/edict-apply.schema.json',
  notification: '../../../generated/edict-notification.schema.json',
} as const;

/** Adds `edict schema`. */
export function registerSchema(program: Command, context: CliContext, finish: Finish): void {
  program
    .command('schema')
    .description('Print the JSON Schema of the file or of an output')
    .addArgument(
      new Argument('[document]', 'the edict file, an included file, the JSON output of plan or apply, or a notification')
        .choices(Object.keys(schemaPaths))
        .default('file'),
    )
    .action((document: keyof typeof schemaPaths) => finish(printSchema(document, context)));
}

/** Prints a JSON Schema. Returns 0. */
export function printSchema(document: keyof typeof schemaPaths, { stdout }: CliContext): ExitCode {
  writeExact(stdout, readFileSync(new URL(schemaPaths[document], import.meta.url), 'utf8'));
  return exitCodes.done;
}
