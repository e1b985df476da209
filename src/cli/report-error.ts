import { EdictError, type ExitCode, exitCodes, InvalidFileError } from '../core/errors.ts';
import { StalePlanError } from '../core/stale-plan.ts';
import { type CliContext, colorizersFor } from './context.ts';
import { type DiagnosticFormat, diagnosticRenderers, errorRenderers } from './mistake-renderers.ts';
import { renderDiagnostics } from './render-mistakes.ts';
import { formatStaleChange } from './saved-words.ts';
import { errorDocument } from './told-error.ts';

/** More lines than this hide the first ones. */
const maxShown = 50;

/**
 * Says what went wrong, on stderr for people and, unless `format` is for them, on stdout for programs. Returns the exit code.
 * Only what is not an EdictError, a bug of edict, shows a stack trace.
 */
export function reportError(error: unknown, context: CliContext, format: DiagnosticFormat): ExitCode {
  const paint = colorizersFor(context).err;
  if (error instanceof InvalidFileError) {
    context.stderr.write(renderDiagnostics(error, paint));
    if (format !== 'text') context.stdout.write(diagnosticRenderers[format](error));
    return error.exitCode;
  }
  if (!(error instanceof EdictError)) {
    context.stderr.write(`edict: this is a bug of edict, please report it\n${error instanceof Error ? error.stack : String(error)}\n`);
    return exitCodes.error;
  }
  const moved = error instanceof StalePlanError ? error.staleChanges : [];
  const lines = moved.slice(0, maxShown).map((one) => `  ${formatStaleChange(one)}\n`);
  if (moved.length > maxShown) lines.push(`  … and ${moved.length - maxShown} more\n`);
  context.stderr.write(`${paint('red', 'edict:')} ${error.message}\n${lines.join('')}${error.hint ? `  ${error.hint}\n` : ''}`);
  if (format === 'github' || format === 'sarif') context.stdout.write(errorRenderers[format](error));
  if (format === 'json') context.stdout.write(`${JSON.stringify(errorDocument(error))}\n`);
  return error.exitCode;
}
