import type { components } from '../../../generated/edict-plan.d.ts';
import { EdictError, type ExitCode, exitCodes, InvalidFileError } from '../../model/errors.ts';
import { StalePlanError } from '../../model/saved-plan-diff.ts';
import { type CliContext, colorizersFor } from '../context.ts';
import { type DiagnosticFormat, diagnosticRenderers, diagnosticsDocument, errorRenderers, renderDiagnostics } from './diagnostics.ts';
import { formatStaleChange, staleChangeJson } from './saved-plan-text.ts';

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

/** Returns what went wrong for a person, where it stands in place of a result. Throws what is no EdictError: that is a bug. */
export function renderError(error: unknown, context: CliContext): string {
  if (!(error instanceof EdictError)) throw error;
  const paint = colorizersFor(context).out;
  if (error instanceof InvalidFileError) return renderDiagnostics(error, paint);
  return `${paint('red', error.message)}\n${error.hint ? `  ${error.hint}\n` : ''}`;
}

/** Returns what went wrong for programs, as it stands in place of a result. Throws like `toldError`. */
export function errorDocument(error: unknown): components['schemas']['InvalidFile'] | components['schemas']['Failed'] {
  if (!(error instanceof EdictError)) throw error;
  if (error instanceof InvalidFileError) return diagnosticsDocument(error);
  const { code, message, hint } = error;
  const moved = error instanceof StalePlanError ? error.staleChanges.map(staleChangeJson) : [];
  return { format: 1, error: { code, message, hint, ...(moved.length > 0 && { moved }) } };
}
