import type { components } from '../../generated/edict-plan.d.ts';
import { EdictError, InvalidFileError } from '../core/errors.ts';
import { StalePlanError } from '../core/stale-plan.ts';
import { type CliContext, colorizersFor } from './context.ts';
import { diagnosticsDocument, renderDiagnostics } from './render-mistakes.ts';
import { staleChangeJson } from './saved-words.ts';

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
