import type { Command } from 'commander';
import { EdictError, type ExitCode, exitCodes } from '../../model/errors.ts';
import { defaultFile } from '../../model/settings.ts';
import { type CliContext, colorizersFor } from '../context.ts';
import { allowHostOption, allowIncludeOption, emulateOption, type Finish, formatOption, stateOption } from '../options.ts';
import { writePatch, writeText } from '../output/terminal.ts';
import { runReadCommand } from '../read-command.ts';
import { readSettings } from '../store-settings.ts';

export interface UndoOptions {
  readonly state?: string;
  readonly emulate?: boolean;
  readonly format: 'text' | 'json';
}

/** Adds `edict undo`. */
export function registerUndo(program: Command, context: CliContext, finish: Finish): void {
  program
    .command('undo')
    .description('Print a patch to the file that undoes an apply or an attempt, for git apply')
    .argument('[what]', 'an attempt number, an apply ID or a prefix of it, or last for the last apply that changed something', 'last')
    .argument('[file]', `the edict file (default: "${defaultFile}")`)
    .addOption(allowIncludeOption())
    .addOption(allowHostOption())
    .addOption(stateOption())
    .addOption(formatOption('text', 'json'))
    .addOption(emulateOption())
    .action(async (what: string, file: string | undefined, options: UndoOptions) =>
      finish(await runUndo({ what, file }, options, context)),
    );
}

/**
 * Prints the patch to the file that undoes the requested attempts, and the publications that it does not restore. Changes nothing. A
 * single argument that is neither an attempt nor an apply is the file. Returns 0. Throws an EdictError `OPTION_INVALID`, and as
 * `readUndo` does.
 */
async function runUndo(
  { what, file }: { readonly what: string; readonly file: string | undefined },
  options: UndoOptions,
  context: CliContext,
): Promise<ExitCode> {
  const { parseUndoRequest, readUndo } = await import('../../app/edits/undo.ts');
  const { renderUndo } = await import('../output/edits.ts');
  const request = parseUndoRequest(what);
  if (request === null && file !== undefined) {
    throw new EdictError('OPTION_INVALID', `${what} is not an attempt or an apply`, {
      hint: 'expected the number of an attempt, the ID of an apply or at least its first 4 characters, or last',
    });
  }
  const settings = await readSettings(context, request === null ? what : file, options);
  const report = await runReadCommand(context, settings, (appContext) =>
    readUndo(appContext, request ?? { text: 'last', selector: 'last' }),
  );
  writeText(context.stdout, renderUndo(report, { settings, format: options.format, paint: colorizersFor(context).out }));
  if (options.format === 'text') writePatch(context.stdout, report.file.diff);
  return exitCodes.done;
}
