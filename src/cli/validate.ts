import type { Settings } from '../config.ts';
import { type ExitCode, exitCodes, InvalidFileError } from '../core/errors.ts';
import { checkFile } from '../reports.ts';
import { type Context, paintersOf } from './context.ts';
import { mistakesJson, renderMistakes } from './render-mistakes.ts';
import { counted } from './words.ts';

/** Checks the file; the mistakes are the result. Returns 0 or 3. */
export async function validate(settings: Settings, { format }: { readonly format: string }, context: Context): Promise<ExitCode> {
  const { out } = paintersOf(context);
  const asJson = format === 'json';
  try {
    const { publications, environments } = await checkFile(settings, context.environment);
    const sizes = { publications: publications.size, environments: environments.size };
    const words = `${out('green', 'Valid.')} ${settings.file} declares ${counted(sizes.publications, 'publication')} in ${counted(sizes.environments, 'environment')}.`;
    context.stdout.write(`${asJson ? JSON.stringify({ format: 1, valid: true, ...sizes }) : words}\n`);
    return exitCodes.done;
  } catch (error) {
    if (!(error instanceof InvalidFileError)) throw error;
    context.stdout.write(asJson ? mistakesJson(error) : renderMistakes(error, out));
    return error.exitCode;
  }
}
