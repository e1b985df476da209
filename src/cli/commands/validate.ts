import type { Command } from 'commander';
import { createAppContext } from '../../app/context.ts';
import { parseSettings, type SettingsOptions } from '../../app/settings.ts';
import type { DesiredState } from '../../model/desired-state.ts';
import { type ExitCode, exitCodes, InvalidFileError } from '../../model/errors.ts';
import { toJson } from '../../model/visible.ts';
import { type CliContext, colorizersFor } from '../context.ts';
import { allowIncludeOption, type Finish, fileArgument, formatOption } from '../options.ts';
import type { DiagnosticFormat } from '../output/errors.ts';
import { type Colorize, joinLines, widthOfStream, writeFormatted, writeLine, writeText } from '../output/terminal.ts';

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
    writeText(context.stdout, await renderValidFile(file, desired, { format, paint }));
    return exitCodes.done;
  } catch (error) {
    if (!(error instanceof InvalidFileError)) throw error;
    const { diagnosticRenderers } = await import('../output/errors.ts');
    writeFormatted(context.stdout, format, diagnosticRenderers[format](error, paint, widthOfStream(context.stdout)));
    return error.exitCode;
  }
}

/** Returns the result of validating a file without errors. */
async function renderValidFile(
  file: string,
  { publications, environments }: DesiredState,
  { format, paint }: { readonly format: DiagnosticFormat; readonly paint: Colorize },
): Promise<string> {
  if (format === 'sarif') return (await import('../output/sarif.ts')).renderDiagnosticsSarif([]);
  if (format === 'json') return `${toJson({ format: 1, valid: true, publications: publications.size, environments: environments.size })}\n`;
  const { pluralize } = await import('../../render/format.ts');
  const counts = `${pluralize(publications.size, 'publication')} in ${pluralize(environments.size, 'environment')}`;
  return `${joinLines([`${paint('green', 'Valid.')} ${file} declares ${counts}.`])}\n`;
}
