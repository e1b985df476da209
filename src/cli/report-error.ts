import { EdictError, type ExitCode, exitCodes, InvalidFileError } from '../core/errors.ts';
import { type Context, paintersOf } from './context.ts';
import { mistakesJson, renderMistakes } from './render-mistakes.ts';

/**
 * Says what went wrong, on stderr for people and, if `asJson`, as the one document on stdout for programs. Returns the exit code.
 * Only what is not an EdictError, a bug of edict, shows a stack trace.
 */
export function reportError(error: unknown, context: Context, asJson: boolean): ExitCode {
  const paint = paintersOf(context).err;
  if (error instanceof InvalidFileError) {
    context.stderr.write(renderMistakes(error, paint));
    if (asJson) context.stdout.write(mistakesJson(error));
    return error.exitCode;
  }
  if (!(error instanceof EdictError)) {
    context.stderr.write(`edict: this is a bug of edict, please report it\n${error instanceof Error ? error.stack : String(error)}\n`);
    return exitCodes.error;
  }
  context.stderr.write(`${paint('red', 'edict:')} ${error.message}\n${error.hint ? `  ${error.hint}\n` : ''}`);
  if (asJson)
    context.stdout.write(`${JSON.stringify({ format: 1, error: { code: error.code, message: error.message, hint: error.hint } })}\n`);
  return error.exitCode;
}
