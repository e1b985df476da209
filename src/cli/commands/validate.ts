import { createAppContext } from '../../app/context.ts';
import { readDesiredState } from '../../app/reports.ts';
import { type ExitCode, exitCodes, InvalidFileError } from '../../model/errors.ts';
import type { Settings } from '../../model/settings.ts';
import { pluralize } from '../../render/format.ts';
import { type CliContext, colorizersFor } from '../context.ts';
import { type DiagnosticFormat, diagnosticRenderers } from '../output/diagnostics.ts';
import { renderDiagnosticsSarif } from '../output/sarif.ts';

/** Validates the file and writes its diagnostics to stdout. Returns 0, or 3 if the file is invalid. */
export async function validate(
  settings: Settings,
  { format }: { readonly format: DiagnosticFormat },
  context: CliContext,
): Promise<ExitCode> {
  const { out } = colorizersFor(context);
  try {
    const { publications, environments } = await readDesiredState(createAppContext(settings, context.env));
    const sizes = { publications: publications.size, environments: environments.size };
    const text = `${out('green', 'Valid.')} ${settings.file} declares ${pluralize(sizes.publications, 'publication')} in ${pluralize(sizes.environments, 'environment')}.`;
    context.stdout.write(formatValid(format, sizes, text));
    return exitCodes.done;
  } catch (error) {
    if (!(error instanceof InvalidFileError)) throw error;
    context.stdout.write(diagnosticRenderers[format](error, out));
    return error.exitCode;
  }
}

function formatValid(format: DiagnosticFormat, sizes: object, text: string): string {
  if (format === 'sarif') return renderDiagnosticsSarif([]);
  return `${format === 'json' ? JSON.stringify({ format: 1, valid: true, ...sizes }) : text}\n`;
}
