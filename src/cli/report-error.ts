import { EdictError, type ExitCode, exitCodes, InvalidFileError } from '../core/errors.ts';
import { StalePlanError } from '../core/stale-plan.ts';
import { type Context, paintersOf } from './context.ts';
import { errorRenderers, type MistakeFormat, mistakeRenderers } from './mistake-renderers.ts';
import { renderMistakes } from './render-mistakes.ts';
import { movedInWords } from './saved-words.ts';
import { errorDocument } from './told-error.ts';

/** More lines than this hide the first ones. */
const mostShown = 50;

/**
 * Says what went wrong, on stderr for people and, unless `format` is for them, on stdout for programs. Returns the exit code.
 * Only what is not an EdictError, a bug of edict, shows a stack trace.
 */
export function reportError(error: unknown, context: Context, format: MistakeFormat): ExitCode {
  const paint = paintersOf(context).err;
  if (error instanceof InvalidFileError) {
    context.stderr.write(renderMistakes(error, paint));
    if (format !== 'text') context.stdout.write(mistakeRenderers[format](error));
    return error.exitCode;
  }
  if (!(error instanceof EdictError)) {
    context.stderr.write(`edict: this is a bug of edict, please report it\n${error instanceof Error ? error.stack : String(error)}\n`);
    return exitCodes.error;
  }
  const moved = error instanceof StalePlanError ? error.moved : [];
  const lines = moved.slice(0, mostShown).map((one) => `  ${movedInWords(one)}\n`);
  if (moved.length > mostShown) lines.push(`  … and ${moved.length - mostShown} more\n`);
  context.stderr.write(`${paint('red', 'edict:')} ${error.message}\n${lines.join('')}${error.hint ? `  ${error.hint}\n` : ''}`);
  if (format === 'github' || format === 'sarif') context.stdout.write(errorRenderers[format](error));
  if (format === 'json') context.stdout.write(`${JSON.stringify(errorDocument(error))}\n`);
  return error.exitCode;
}
