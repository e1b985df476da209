import type { components } from '../../../generated/edict-plan.d.ts';
import type { DesiredState } from '../../model/desired-state.ts';
import { type Diagnostic, EdictError, type ExitCode, exitCodes, InvalidFileError } from '../../model/errors.ts';
import { StalePlanError } from '../../model/saved-plan-diff.ts';
import { pluralize, upperFirst } from '../../render/format.ts';
import { type CliContext, colorizersFor } from '../context.ts';
import { diagnosticAnnotations, errorAnnotation } from './github-annotations.ts';
import { renderDiagnosticsSarif, renderErrorSarif } from './sarif.ts';
import { formatStaleChange, staleChangeJson } from './saved-plan-text.ts';
import type { Colorize } from './terminal.ts';

/*
 * Errors and the diagnostics of a file, in every format.
 */

/** The most code frames shown: thousands of them would push the first diagnostics out of sight. */
const maxCodeFrames = 50;

/** Returns all diagnostics of a file as text: place, message, code frame and hint. */
export function renderDiagnostics({ diagnostics, count }: InvalidFileError, paint: Colorize): string {
  const lines: string[] = [];
  for (const [index, diagnostic] of diagnostics.entries()) {
    lines.push(`${paint('bold', `${diagnostic.file}:${diagnostic.line}:${diagnostic.column}`)}  ${paint('red', diagnostic.message)}`);
    if (index < maxCodeFrames) lines.push(...codeFrame(diagnostic, paint), '');
  }
  lines.push(`${upperFirst(count)}. No changes are made until the file is fixed.`);
  return `${lines.join('\n')}\n`;
}

const maxFrameWidth = 160;

type FramedLine = Pick<Diagnostic, 'line' | 'column' | 'length' | 'excerpt' | 'hint'>;

/** Returns a line of a file with the range underlined, and the hint below. */
export function codeFrame({ line, column, length, excerpt, hint }: FramedLine, paint: Colorize): string[] {
  const offset = column - excerpt.column;
  const from = offset >= maxFrameWidth ? offset - maxFrameWidth / 2 : 0;
  const shown = excerpt.text.slice(from, from + maxFrameWidth).replaceAll('\t', ' ');
  const gutter = String(line);
  const marks = ' '.repeat(Math.max(0, offset - from)) + '^'.repeat(Math.max(1, Math.min(length, shown.length - (offset - from))));
  const lines = [paint('dim', `  ${gutter} | `) + shown, paint('dim', `  ${' '.repeat(gutter.length)} | `) + paint('red', marks)];
  return hint ? [...lines, `  ${' '.repeat(gutter.length)} ${paint('dim', '=')} ${hint}`] : lines;
}

/** Returns the diagnostics of a file as a JSON document. */
function diagnosticsDocument({ diagnostics }: InvalidFileError): components['schemas']['InvalidFile'] {
  return { format: 1, valid: false, errors: diagnostics.map(({ excerpt: _excerpt, ...diagnostic }) => diagnostic) };
}

/** Returns the diagnostics of a file as JSON in one line, since the output of `apply` is one JSON document per line. */
export function renderDiagnosticsJson(error: InvalidFileError): string {
  return `${JSON.stringify(diagnosticsDocument(error))}\n`;
}

/** Returns the result of validating a file without errors. */
export function renderValidFile(
  file: string,
  { publications, environments }: DesiredState,
  { format, paint }: { readonly format: DiagnosticFormat; readonly paint: Colorize },
): string {
  if (format === 'sarif') return renderDiagnosticsSarif([]);
  if (format === 'json')
    return `${JSON.stringify({ format: 1, valid: true, publications: publications.size, environments: environments.size })}\n`;
  const counts = `${pluralize(publications.size, 'publication')} in ${pluralize(environments.size, 'environment')}`;
  return `${paint('green', 'Valid.')} ${file} declares ${counts}.\n`;
}

type DiagnosticRenderer = (error: InvalidFileError, paint: Colorize) => string;

/** The renderers of diagnostics; each returns the whole text with a final line break. */
export const diagnosticRenderers = {
  text: renderDiagnostics,
  json: renderDiagnosticsJson,
  github: diagnosticAnnotations,
  sarif: ({ diagnostics }) => renderDiagnosticsSarif(diagnostics),
} satisfies Record<string, DiagnosticRenderer>;
export type DiagnosticFormat = keyof typeof diagnosticRenderers;

/** The machine-readable renderers of all other errors, except JSON, which `errorDocument` builds. */
const errorRenderers = { github: errorAnnotation, sarif: renderErrorSarif } satisfies Record<string, (error: EdictError) => string>;

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
    context.stderr.write(`edict: this is a bug in edict, please report it\n${error instanceof Error ? error.stack : String(error)}\n`);
    return exitCodes.error;
  }
  if (error.cause instanceof InvalidFileError) context.stderr.write(`${renderDiagnostics(error.cause, paint)}\n`);
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
