import type { Settings } from '../config.ts';
import { type ExitCode, exitCodes, InvalidFileError } from '../core/errors.ts';
import { checkFile } from '../reports.ts';
import { counted } from '../words/phrases.ts';
import { type Context, paintersOf } from './context.ts';
import { type MistakeFormat, mistakeRenderers } from './mistake-renderers.ts';
import { mistakesSarif } from './sarif.ts';

/** Checks the file; the mistakes are the result. Returns 0 or 3. */
export async function validate(settings: Settings, { format }: { readonly format: MistakeFormat }, context: Context): Promise<ExitCode> {
  const { out } = paintersOf(context);
  try {
    const { publications, environments } = await checkFile(settings, context.environment);
    const sizes = { publications: publications.size, environments: environments.size };
    const words = `${out('green', 'Valid.')} ${settings.file} declares ${counted(sizes.publications, 'publication')} in ${counted(sizes.environments, 'environment')}.`;
    context.stdout.write(valid(format, sizes, words));
    return exitCodes.done;
  } catch (error) {
    if (!(error instanceof InvalidFileError)) throw error;
    context.stdout.write(mistakeRenderers[format](error, out));
    return error.exitCode;
  }
}

function valid(format: MistakeFormat, sizes: object, words: string): string {
  if (format === 'sarif') return mistakesSarif([]);
  return `${format === 'json' ? JSON.stringify({ format: 1, valid: true, ...sizes }) : words}\n`;
}
