import stringWidth from 'fast-string-width';
import type { components } from '../../../generated/edict-plan.d.ts';
import { type Diagnostic, EdictError, type ExitCode, exitCodes, InvalidFileError } from '../../model/errors.ts';
import { StalePlanError } from '../../model/saved-plan-diff.ts';
import { toJson, visible } from '../../model/visible.ts';
import { upperFirst } from '../../render/format.ts';
import { type CliContext, colorizersFor } from '../context.ts';
import { diagnosticAnnotations, errorAnnotation } from './github-annotations.ts';
import { renderDiagnosticsSarif, renderErrorSarif } from './sarif.ts';
import { formatStaleChange, staleChangeJson } from './saved-plan-text.ts';
import type { Colorize } from './terminal.ts';
import { joinLines, writeFormatted, writeText } from './terminal.ts';

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
  return `${joinLines(lines)}\n`;
}

const maxFrameWidth = 160;

type FramedLine = Pick<Diagnostic, 'line' | 'column' | 'length' | 'excerpt' | 'hint'>;

/** Returns a line of a file with the range underlined, and the hint below. A wide character takes two columns of a terminal, a combining one none. */
export function codeFrame({ line, column, length, excerpt, hint }: FramedLine, paint: Colorize): string[] {
  const offset = column - excerpt.column;
  const from = offset >= maxFrameWidth ? startOfCharacter(excerpt.text, offset - maxFrameWidth / 2) : 0;
  const cut = excerpt.text.slice(from, startOfCharacter(excerpt.text, from + maxFrameWidth)).replaceAll('\t', ' ');
  const gutter = String(line);
  // A character that is shown as several moves the marks below it.
  const widthOf = (begin: number, end: number): number => stringWidth(visible(cut.slice(begin, startOfCharacter(cut, end))));
  const start = offset - from;
  const marks = ' '.repeat(widthOf(0, start)) + '^'.repeat(Math.max(1, widthOf(start, start + length)));
  const lines = [paint('dim', `  ${gutter} | `) + visible(cut), paint('dim', `  ${' '.repeat(gutter.length)} | `) + paint('red', marks)];
  return hint ? [...lines, `  ${' '.repeat(gutter.length)} ${paint('dim', '=')} ${hint}`] : lines;
}

/** Returns an offset that is not inside a character of two UTF-16 units: that of its start. */
function startOfCharacter(text: string, offset: number): number {
  return /^[\uDC00-\uDFFF]/.test(text.charAt(offset)) && offset > 0 ? offset - 1 : offset;
}

/** Returns the diagnostics of a file as a JSON document. */
function diagnosticsDocument({ diagnostics }: InvalidFileError): components['schemas']['InvalidFile'] {
  return { format: 1, valid: false, errors: diagnostics.map(({ excerpt: _excerpt, ...diagnostic }) => diagnostic) };
}

/** Returns the diagnostics of a file as JSON in one line, since the output of `apply` is one JSON document per line. */
export function renderDiagnosticsJson(error: InvalidFileError): string {
  return `${toJson(diagnosticsDocument(error))}\n`;
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
 * `complete` completes the commands in a text for the file and the store of the command that failed; default: they stay as they are.
 */
export function reportError(
  error: unknown,
  context: CliContext,
  format: DiagnosticFormat,
  complete: (text: string) => string = (text) => text,
): ExitCode {
  const paint = colorizersFor(context).err;
  if (error instanceof InvalidFileError) {
    writeText(context.stderr, renderDiagnostics(error, paint));
    if (format !== 'text') writeFormatted(context.stdout, format, diagnosticRenderers[format](error));
    return error.exitCode;
  }
  if (!(error instanceof EdictError)) {
    writeText(context.stderr, `edict: this is a bug in edict, please report it\n${error instanceof Error ? error.stack : String(error)}\n`);
    return exitCodes.error;
  }
  if (error.cause instanceof InvalidFileError) writeText(context.stderr, `${renderDiagnostics(error.cause, paint)}\n`);
  const staleChanges = error instanceof StalePlanError ? error.staleChanges : [];
  const lines = [
    `${paint('red', 'edict:')} ${complete(error.message)}`,
    ...staleChanges.slice(0, maxShown).map((one) => `  ${formatStaleChange(one)}`),
    ...(staleChanges.length > maxShown ? [`  … and ${staleChanges.length - maxShown} more`] : []),
    ...(error.hint ? [`  ${complete(error.hint)}`] : []),
  ];
  writeText(context.stderr, `${joinLines(lines)}\n`);
  if (format === 'github' || format === 'sarif') writeFormatted(context.stdout, format, errorRenderers[format](error));
  if (format === 'json') writeText(context.stdout, `${toJson(errorDocument(error, complete))}\n`);
  return error.exitCode;
}

/** Returns the error as text that replaces a result. Rethrows an error that is not an EdictError, since it is a bug. */
export function renderError(error: unknown, context: CliContext): string {
  if (!(error instanceof EdictError)) throw error;
  const paint = colorizersFor(context).out;
  if (error instanceof InvalidFileError) return renderDiagnostics(error, paint);
  return `${joinLines([paint('red', error.message), ...(error.hint ? [`  ${error.hint}`] : [])])}\n`;
}

/** Returns the error as a JSON document that replaces a result. Rethrows as `renderError` does. */
export function errorDocument(
  error: unknown,
  complete: (text: string) => string = (text) => text,
): components['schemas']['InvalidFile'] | components['schemas']['Failed'] {
  if (!(error instanceof EdictError)) throw error;
  if (error instanceof InvalidFileError) return diagnosticsDocument(error);
  const { code } = error;
  const [message, hint] = [complete(error.message), error.hint && complete(error.hint)];
  const staleChanges = error instanceof StalePlanError ? error.staleChanges.map(staleChangeJson) : [];
  return { format: 1, error: { code, message, hint, ...(staleChanges.length > 0 && { staleChanges }) } };
}
