import type { components } from '../../../generated/edict-plan.d.ts';
import { EdictError, type ExitCode, exitCodes, InvalidFileError } from '../../model/errors.ts';
import { StalePlanError } from '../../model/saved-plan-diff.ts';
import { type CliContext, colorizersFor } from '../context.ts';
import { type DiagnosticFormat, diagnosticRenderers, diagnosticsDocument, errorRenderers, renderDiagnostics } from './diagnostics.ts';
import { formatStaleChange, staleChangeJson } from './saved-plan-text.ts';

/** The most stale changes listed, so that the error message stays visible. */
const maxShown = 50;

/**
 * Writes the error as text to stderr and, unless `format` is text, in that format to stdout. Returns the exit code. Only an error that is
 * not an EdictError, which is a bug in edict, shows a stack trace.
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
  const staleChanges = error instanceof StalePlanError ? error.staleChanges : [];
  const lines = staleChanges.slice(0, maxShown).map((one) => `  ${formatStaleChange(one)}\n`);
  if (staleChanges.length > maxShown) lines.push(`  … and ${staleChanges.length - maxShown} more\n`);
  context.stderr.write(`${paint('red', 'edict:')} ${error.message}\n${lines.join('')}${error.hint ? `  ${error.hint}\n` : ''}`);
  if (format === 'github' || format === 'sarif') context.stdout.write(errorRenderers[format](error));
  if (format === 'json') context.stdout.write(`${JSON.stringify(errorDocument(error))}\n`);
  return error.exitCode;
}

/** Returns the error as text that replaces a result. Rethrows an error that is not an EdictError, since it is a bug. */
export function renderError(error: unknown, context: CliContext): string {
  if (!(error instanceof EdictError)) throw error;
  const paint = colorizersFor(context).out;
  if (error instanceof InvalidFileError) return renderDiagnostics(error, paint);
  return `${paint('red', error.message)}\n${error.hint ? `  ${error.hint}\n` : ''}`;
}

/** Returns the error as a JSON document that replaces a result. Rethrows as `renderError` does. */
export function errorDocument(error: unknown): components['schemas']['InvalidFile'] | components['schemas']['Failed'] {
  if (!(error instanceof EdictError)) throw error;
  if (error instanceof InvalidFileError) return diagnosticsDocument(error);
  const { code, message, hint } = error;
  const staleChanges = error instanceof StalePlanError ? error.staleChanges.map(staleChangeJson) : [];
  return { format: 1, error: { code, message, hint, ...(staleChanges.length > 0 && { staleChanges }) } };
}
