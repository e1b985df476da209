import stringWidth from 'fast-string-width';
import type { components } from '../../../generated/edict-plan.d.ts';
import { type Diagnostic, EdictError, type ExitCode, exitCodes, InvalidFileError } from '../../model/errors.ts';
import { StalePlanError } from '../../model/saved-plan-diff.ts';
import { defaultFile } from '../../model/settings.ts';
import { toJson, visible } from '../../model/visible.ts';
import { upperFirst } from '../../render/format.ts';
import { type CliContext, colorizersFor } from '../context.ts';
import { diagnosticAnnotations, errorAnnotation } from './github-annotations.ts';
import { renderMarkdownError } from './markdown.ts';
import { renderDiagnosticsSarif, renderErrorSarif } from './sarif.ts';
import { formatStaleChange, staleChangeJson } from './saved-plan-text.ts';
import { type Colorize, defaultWidth, joinLines, widthOfStream, writeFormatted, writeText } from './terminal.ts';

/*
 * Errors and the diagnostics of a file, in every format.
 */

/** The most code frames shown: thousands of them would push the first diagnostics out of sight. */
const maxCodeFrames = 50;

/** Returns all diagnostics of a file as text: place, message, code frame and hint. Frames are at most `width` columns wide. */
export function renderDiagnostics({ diagnostics, count }: InvalidFileError, paint: Colorize, width?: number): string {
  const lines: string[] = [];
  for (const [index, diagnostic] of diagnostics.entries()) {
    lines.push(`${paint('bold', `${diagnostic.file}:${diagnostic.line}:${diagnostic.column}`)}  ${paint('red', diagnostic.message)}`);
    if (index < maxCodeFrames) lines.push(...codeFrame(diagnostic, paint, width), '');
  }
  lines.push(`${upperFirst(count)}. No changes are made until the file is fixed.`);
  return `${joinLines(lines)}\n`;
}

type FramedLine = Pick<Diagnostic, 'line' | 'column' | 'length' | 'excerpt' | 'hint'>;

/** However narrow a terminal is, this much of a line is shown. */
const minFrameWidth = 20;

/** Returns a line of a file with the range underlined, and the hint below. A line that is wider than `width` columns is cut around the range. */
export function codeFrame({ line, column, length, excerpt, hint }: FramedLine, paint: Colorize, width = defaultWidth): string[] {
  const { text } = excerpt;
  const start = startOfCharacter(text, column - excerpt.column);
  const end = startOfCharacter(text, column - excerpt.column + length);
  const [before, range, after] = [toCells(text.slice(0, start)), toCells(text.slice(start, end)), toCells(text.slice(end))];
  const gutter = String(line);
  const available = Math.max(minFrameWidth, width - `  ${gutter} | `.length);
  const isCutBefore = widthOf(before) + widthOf(range) > available;
  const shownBefore = isCutBefore
    ? takeCells(before.toReversed(), Math.max(available / 4, Math.min(available / 2, available - widthOf(range)))).toReversed()
    : before;
  const shownRange = takeCells(range, available - widthOf(shownBefore));
  const shownAfter = shownRange.length < range.length ? [] : takeCells(after, available - widthOf(shownBefore) - widthOf(shownRange));
  const shown = [...shownBefore, ...shownRange, ...shownAfter].map((cell) => cell.shown).join('');
  const marks = ' '.repeat(widthOf(shownBefore)) + '^'.repeat(Math.max(1, widthOf(shownRange)));
  const lines = [paint('dim', `  ${gutter} | `) + shown, paint('dim', `  ${' '.repeat(gutter.length)} | `) + paint('red', marks)];
  return hint ? [...lines, `  ${' '.repeat(gutter.length)} ${paint('dim', '=')} ${hint}`] : lines;
}

/** A grapheme, as it is shown, and how many columns of a terminal it takes: two if it is wide, more if it is escaped. */
interface Cell {
  readonly shown: string;
  readonly width: number;
}

function toCells(text: string): readonly Cell[] {
  return [...new Intl.Segmenter('en').segment(text)].map(({ segment }) => {
    const shown = visible(segment.replaceAll('\t', ' '));
    return { shown, width: stringWidth(shown) };
  });
}

function widthOf(cells: readonly Cell[]): number {
  return cells.reduce((sum, { width }) => sum + width, 0);
}

/** Returns the first cells, as many as fit into a width. */
function takeCells(cells: readonly Cell[], width: number): readonly Cell[] {
  let rest = width;
  const tooWide = cells.findIndex((cell) => {
    rest -= cell.width;
    return rest < 0;
  });
  return tooWide === -1 ? cells : cells.slice(0, tooWide);
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

type DiagnosticRenderer = (error: InvalidFileError, paint: Colorize, width?: number) => string;

/** The renderers of diagnostics; each returns the whole text with a final line break. */
export const diagnosticRenderers = {
  text: renderDiagnostics,
  json: renderDiagnosticsJson,
  github: diagnosticAnnotations,
  sarif: ({ diagnostics }) => renderDiagnosticsSarif(diagnostics),
} satisfies Record<string, DiagnosticRenderer>;
export type DiagnosticFormat = keyof typeof diagnosticRenderers;

/** The formats in which an error is also written to stdout. */
export type ErrorFormat = DiagnosticFormat | 'markdown';

/** The command that failed. */
export interface FailedCommand {
  readonly file: string;
  /** Completes the commands in a text for its file and its store. */
  readonly complete: (text: string) => string;
}

/** The machine-readable renderers of all other errors, except JSON, which `errorDocument` builds. */
const errorRenderers = { github: errorAnnotation, sarif: renderErrorSarif } satisfies Record<string, (error: EdictError) => string>;

/** The most stale changes listed, so that the error message stays visible. */
const maxShown = 50;

/**
 * Writes the error as text to stderr and, unless `format` is text, in that format to stdout. Returns the exit code. Only an error that is
 * not an EdictError, which is a bug in edict, shows a stack trace.
 * `failed`: the command that failed; default: one of no file, so that the commands in a text stay as they are.
 */
export function reportError(
  error: unknown,
  context: CliContext,
  format: ErrorFormat,
  { file, complete }: FailedCommand = { file: defaultFile, complete: (text) => text },
): ExitCode {
  if (format === 'markdown' && error instanceof EdictError)
    writeFormatted(context.stdout, format, renderMarkdownError(error, file, complete));
  const paint = colorizersFor(context).err;
  if (error instanceof InvalidFileError) {
    writeText(context.stderr, renderDiagnostics(error, paint, widthOfStream(context.stderr)));
    if (format !== 'text' && format !== 'markdown') writeFormatted(context.stdout, format, diagnosticRenderers[format](error));
    return error.exitCode;
  }
  if (!(error instanceof EdictError)) {
    writeText(context.stderr, `edict: this is a bug in edict, please report it\n${error instanceof Error ? error.stack : String(error)}\n`);
    return exitCodes.error;
  }
  if (error.cause instanceof InvalidFileError)
    writeText(context.stderr, `${renderDiagnostics(error.cause, paint, widthOfStream(context.stderr))}\n`);
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
  if (error instanceof InvalidFileError) return renderDiagnostics(error, paint, widthOfStream(context.stdout));
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
