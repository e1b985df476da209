import type { Command } from 'commander';
import { createAppContext } from '../../app/context.ts';
import { parseSettings, type SettingsOptions } from '../../app/settings.ts';
import { type ExitCode, exitCodes, InvalidFileError } from '../../model/errors.ts';
import { type CliContext, colorizersFor } from '../context.ts';
import { allowIncludeOption, type Finish, fileArgument, formatOption } from '../options.ts';
import type { DiagnosticFormat } from '../output/errors.ts';
import { writeFormatted, writeLine, writeText } from '../output/terminal.ts';

export interface ValidateOptions extends Pick<SettingsOptions, 'allowInclude'> {
  readonly format: DiagnosticFormat;
}

/** Adds `edict validate`. */
export function registerValidate(program: Command, context: CliContext, finish: Finish): void {
  program
    .command('validate')
    .description('Check the file for errors')
    .addArgument(fileArgument())
    .addOption(allowIncludeOption())
    .addOption(formatOption('text', 'json', 'github', 'sarif'))
    .action(async (file: string, options: ValidateOptions) => finish(await runValidate(file, options, context)));
}

/** Validates the file and writes its diagnostics to stdout. Returns 0, or 3 if the file is invalid. */
export async function runValidate(file: string, { format, ...options }: ValidateOptions, context: CliContext): Promise<ExitCode> {
  const { validateFile } = await import('../../app/reports.ts');
  const { diagnosticRenderers, renderValidFile } = await import('../output/errors.ts');
  const paint = colorizersFor(context).out;
  try {
    const { desired, unsetVariables } = await validateFile(createAppContext(parseSettings(file, options), context.env));
    if (unsetVariables.size > 0) {
      const names = [...unsetVariables].join(', ');
      writeLine(
        context.stderr,
        `${colorizersFor(context).err('yellow', 'edict:')} checked with placeholders for variables that are not set: ${names}`,
      );
    }
    writeText(context.stdout, renderValidFile(file, desired, { format, paint }));
    return exitCodes.done;
  } catch (error) {
    if (!(error instanceof InvalidFileError)) throw error;
    writeFormatted(context.stdout, format, diagnosticRenderers[format](error, paint));
    return error.exitCode;
  }
}
