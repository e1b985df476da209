import type { components } from '../../generated/edict-plan.d.ts';
import { EdictError, InvalidFileError } from '../core/errors.ts';
import { StalePlanError } from '../core/stale-plan.ts';
import { type Context, paintersOf } from './context.ts';
import { mistakesDocument, renderMistakes } from './render-mistakes.ts';
import { movedJson } from './saved-words.ts';

/** Returns what went wrong for a person, where it stands in place of a result. Throws what is no EdictError: that is a bug. */
export function toldError(error: unknown, context: Context): string {
  if (!(error instanceof EdictError)) throw error;
  const paint = paintersOf(context).out;
  if (error instanceof InvalidFileError) return renderMistakes(error, paint);
  return `${paint('red', error.message)}\n${error.hint ? `  ${error.hint}\n` : ''}`;
}

/** Returns what went wrong for programs, as it stands in place of a result. Throws like `toldError`. */
export function errorDocument(error: unknown): components['schemas']['InvalidFile'] | components['schemas']['Failed'] {
  if (!(error instanceof EdictError)) throw error;
  if (error instanceof InvalidFileError) return mistakesDocument(error);
  const { code, message, hint } = error;
  const moved = error instanceof StalePlanError ? error.moved.map(movedJson) : [];
  return { format: 1, error: { code, message, hint, ...(moved.length > 0 && { moved }) } };
}
